import ArgumentParser
import Migrations
import ToolSupport

struct Up: ToolCommand {
  static let service = "migrate"
  static let alerts = Alerts.failures
  static let configuration = CommandConfiguration(
    commandName: "up",
    abstract: "Apply the migrations that the database does not have.",
    discussion: """
      Safe to start in several instances at once: one works, the others wait and find nothing to \
      do. Each migration is one transaction, or nothing of it stays.

      Examples:
        migrate up
        migrate up --dry-run
        migrate up 20261122093000
        migrate up --keep-dropped --require-backup 24h
      """, aliases: ["upgrade"])

  @Argument(
    help: ArgumentHelp("The last version to apply; all when left out.", valueName: "version"))
  var target: UpTarget?
  @Flag(help: "Show what would be done, and do nothing.")
  var dryRun = false
  @Option(
    help: "What to do about a file that is older than what is applied: allow, warn or refuse.")
  var outOfOrder = MigratorOptions.OutOfOrder.refuse
  @Flag(
    help: "First copy the tables and columns that a migration drops; migrate down puts them back.")
  var keepDropped = false
  @Option(
    help: ArgumentHelp(
      "The most that one copy of --keep-dropped may take: 500MB, 20GB.", valueName: "size"))
  var keepLimit = SizeOption(bytes: 1_000_000_000)
  @Option(
    help: ArgumentHelp(
      "Refuse to drop tables and columns when no whole backup in the store is younger: 24h.",
      valueName: "time"))
  var requireBackup: TimeOption?
  @Flag(
    inversion: .prefixedNo,
    help: "Keep what the migrations change in the schema, for migrate diff.")
  var schemaRecord = true
  @OptionGroup var store: StoreOptions
  @OptionGroup var tenants: TenantOptions
  @OptionGroup var files: FilesOptions
  @OptionGroup var lock: LockOptions
  @OptionGroup var database: DatabaseOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var form: JSONOption
  var isJSON: Bool { form.json }

  func run(_ run: Run) throws {
    let migrator = try run.migrator(
      database, lock: lock, outOfOrder: outOfOrder, searchPath: tenants.searchPath
    ) { options, target in
      options.keepsDropped = keepDropped
      options.recordsSchema = schemaRecord
      options.keepLimit = keepLimit.bytes
      if let limit = requireBackup {
        options.backupRefusal = try BackupCheck.refusal(target, limit, store, run)
      }
    }
    let folder = MigrationFolder(files.dir)
    if dryRun {
      let files = try folder.read()
      let plans = try tenants.forEach(migrator, run) { try $0.planUp(files, to: target?.version) }
      run.show(
        json: PlanRendering.json(plans),
        text: plans.map(\.result).text(nothing: "Nothing to apply.\n"))
    } else {
      let each = try tenants.forEach(migrator, run) { try $0.up(folder, to: target?.version) }
      let done = each.flatMap(\.result)
      run.note("migrations", .integer(done.count))
      run.conclude(
        json: DoneRendering.json(each), text: done.summary("applied", nothing: "Nothing to apply."))
    }
  }
}
