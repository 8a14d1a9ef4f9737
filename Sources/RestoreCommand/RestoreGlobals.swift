import ArgumentParser
import LogicalBackup
import ObjectStore
import Repository
import ToolSupport

struct RestoreGlobals: ToolCommand {
  static let service = "restore"
  static let alerts = Alerts.failures
  static let configuration = CommandConfiguration(
    commandName: "globals",
    abstract: "Make a backup's roles and tablespaces on a server.",
    discussion: """
      What "backup run --globals" has stored. Do this before databases are restored into a new \
      server:

        restore globals --to postgresql://postgres@HOST:5432/postgres
        restore globals 20261122T020000Z --to ... --overwrite

      Roles that are there already are left as they are, passwords included, without --overwrite. \
      Without this tool: gunzip -c FILE | psql -d postgres
      """)

  @Argument(help: "\"latest\", a backup's ID or its beginning (see backup list).")
  var id = "latest"
  @Option(help: ArgumentHelp("Any database of the server (RESTORE_URL).", valueName: "url"))
  var to: String?
  @Flag(help: "Give roles that exist the backup's attributes, passwords and settings.")
  var overwrite = false
  @OptionGroup var opening: OpeningOptions
  @OptionGroup var store: StoreOptions
  @OptionGroup var json: JSONOption
  @OptionGroup var output: OutputOptions

  var isJSON: Bool { json.json }

  func run(_ run: Run) throws {
    let target = try run.restoreTarget(flag: to)
    let identities = try run.configuration.ageIdentities(opening)
    let repository = try run.openRepository(store)
    let manifest = try repository.globals(named: id, cancellation: run.cancellation)
    run.note("id", .string(manifest.id.description))
    let file = try LogicalFileReader(
      manifest.names.dataKey(encrypted: manifest.object.encryption != nil),
      size: manifest.object.size, in: repository.store, cancellation: run.cancellation
    ).decrypted(with: identities)
    let report = try GlobalsRestore(
      target, overwrites: overwrite, cancellation: run.cancellation
    ).restore(file, manifest)
    var text = "Restored \(Humane.plural(manifest.roles.count, "role")) and "
    text += "\(Humane.plural(manifest.tablespaces.count, "tablespace")) of \(manifest.id)\n"
    text += "on \(target).\n"
    for kept in report.kept { text += "Left as it was: \(kept)\n" }
    if !manifest.passwords {
      text += "Note: the backup holds no passwords; roles that were made have none.\n"
    }
    run.conclude(
      json: [
        "id": .string(manifest.id.description),
        "roles": .array(manifest.roles.map { .string($0) }),
        "tablespaces": .array(manifest.tablespaces.map { .string($0) }),
        "passwords": .bool(manifest.passwords),
        "kept": .array(report.kept.map { .string($0) }),
        "statements": .integer(report.statements),
      ], text: text)
  }
}
