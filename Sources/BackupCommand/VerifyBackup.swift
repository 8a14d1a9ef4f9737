import ArgumentParser
import LogicalBackup
import ObjectStore
import Repository
import ToolSupport

struct VerifyBackup: BackupToolCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify", abstract: "Read a backup back and check every byte and row of it.",
    discussion: """
      Needs no database. What was found is stored beside the backup, and shown by backup list.

        backup verify
        backup verify 20261122T020000Z

      Base backups and WAL, with every gap between them:

        backup verify --cluster
      """)

  static var alerts: Alerts { .failures }

  @Argument(help: "The backup's ID, the beginning of one, or \"latest\".")
  var id = "latest"
  @Option(help: ArgumentHelp("Only this database's backups.", valueName: "name"))
  var database: String?
  @Flag(help: "Read all base backups and WAL instead, and look for gaps.")
  var cluster = false
  @OptionGroup var store: StoreOptions
  @OptionGroup var json: JSONOption
  @OptionGroup var output: OutputOptions

  var isJSON: Bool { json.json }

  func run(_ run: Run) throws {
    if cluster { return try VerifyClusters(run, try run.openStore(store)).verify() }
    let repository = try run.openRepository(store)
    let entry = try repository.catalog(database: database, cancellation: run.cancellation)
      .resolve(id, database: database)
    run.note("database", .string(entry.database))
    run.note("id", .string(entry.id.description))
    guard case .complete(let manifest) = entry.state else {
      throw ErrorReport(
        .verificationFailed, code: "damaged",
        "The backup \(entry.id) of \(entry.database) is not whole: \(entry.problem ?? "").")
    }
    guard manifest.object.encryption == nil else {
      throw ErrorReport.usage(
        "The backup \(entry.id) of \(entry.database) is encrypted: restore it with --verify.")
    }
    let verifier = BackupVerifier(repository, cancellation: run.cancellation)
    let proof = try run.withProgress(ProgressState(stage: "verifying \(entry.id)")) { _ in
      try verifier.verify(manifest, tool: ToolVersion.current)
    }
    guard proof.passed else {
      throw ErrorReport(
        .verificationFailed, code: "damaged",
        "The backup \(entry.id) of \(entry.database) is damaged. "
          + proof.findings.joined(separator: " "))
    }
    run.conclude(
      json: [
        "id": .string(entry.id.description), "database": .string(entry.database),
        "passed": .bool(proof.passed), "rows": .integer(proof.rows),
        "tables": .integer(proof.tables), "bytes": .integer(proof.bytes),
        "sha256": JSONValue(proof.sha256),
      ],
      text: "\(entry.id) of \(entry.database) is sound: \(Humane.plural(proof.rows, "row")) in "
        + "\(Humane.plural(proof.tables, "table")), \(Humane.size(proof.bytes)), in "
        + "\(Humane.duration(.seconds(proof.seconds))).\n")
  }
}
