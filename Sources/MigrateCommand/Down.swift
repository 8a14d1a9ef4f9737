import ArgumentParser
import Migrations
import ToolSupport

struct Down: ToolCommand {
  static let service = "migrate"
  static let alerts = Alerts.failures
  static let configuration = CommandConfiguration(
    commandName: "down",
    abstract: "Take migrations back, the one applied last first.",
    usage: "migrate down -N | VERSION [<options>]",
    discussion: """
      -1 takes back the last migration, -3 the last three; a VERSION all that are above it. What is \
      run is the down text that was stored when the migration was applied, so this works from a \
      checkout that no longer has the file.

      Examples:
        migrate down -1
        migrate down 20261122093000 --dry-run
      """, aliases: ["downgrade"])

  // `-1` looks like a flag to the parser, which can only be told to pass over whatever it does
  // not know; `DownArgument` then takes care that nothing but one number was passed over.
  @Argument(
    parsing: .allUnrecognized,
    help: ArgumentHelp(
      "-1, -2, … or the version to go down to, which stays.", valueName: "-N | version"))
  var target: [String]
  @Flag(help: "Show what would be done, and do nothing.")
  var dryRun = false
  @Flag(help: "Also take back migrations that say they are irreversible.")
  var irreversible = false
  @OptionGroup var tenants: TenantOptions
  @OptionGroup var files: FilesOptions
  @OptionGroup var lock: LockOptions
  @OptionGroup var database: DatabaseOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var form: JSONOption
  var isJSON: Bool { form.json }

  func validate() throws { _ = try DownArgument.target(target) }

  func run(_ run: Run) throws {
    let target = try DownArgument.target(target)
    let migrator = try run.migrator(
      database, lock: lock, searchPath: tenants.searchPath)
    // The files only tell whether a stored down is out of date; often there are none here.
    let files = try? MigrationFiles(folder: files.dir)
    if dryRun {
      let plans = try tenants.forEach(migrator, run) {
        try $0.planDown(target, files: files, allowsIrreversible: irreversible)
      }
      run.show(
        json: PlanRendering.json(plans),
        text: plans.map(\.result).text(nothing: "Nothing to take back.\n"))
    } else {
      let each = try tenants.forEach(migrator, run) {
        try $0.down(target, files: files, allowsIrreversible: irreversible)
      }
      let done = each.flatMap(\.result)
      run.note("migrations", .integer(done.count))
      run.conclude(
        json: DoneRendering.json(each),
        text: done.summary("taken back", nothing: "Nothing to take back."))
    }
  }
}
