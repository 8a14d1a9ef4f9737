import ArgumentParser
import Migrations
import ToolSupport

struct Repair: ToolCommand {
  static let service = "migrate"
  static let alerts = Alerts.failures
  static let configuration = CommandConfiguration(
    commandName: "repair",
    abstract: "Say what is true of a migration, after looking.",
    discussion: """
      For a migration without a transaction that stopped half way and was finished (--applied) or \
      cleaned up (--reverted) by hand. --applied also accepts a file that was changed on purpose. \
      Nothing is run.

      Example:
        migrate repair 20261122093000 --applied
      """)

  @Argument(help: "The migration's version.")
  var version: MigrationVersion
  @Flag(help: "All of it is in the database.")
  var applied = false
  @Flag(help: "Nothing of it is in the database.")
  var reverted = false
  @OptionGroup var files: FilesOptions
  @OptionGroup var lock: LockOptions
  @OptionGroup var database: DatabaseOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var form: JSONOption
  var isJSON: Bool { form.json }

  func validate() throws {
    if applied == reverted { throw ValidationError("One of --applied and --reverted is needed") }
  }

  func run(_ run: Run) throws {
    let files = try? MigrationFiles(folder: files.dir)
    try run.migrator(database, lock: lock).repair(
      files, version, isApplied: applied)
    run.conclude(
      json: ["version": .string(version.text), "applied": .bool(applied)],
      text: "\(version) is recorded as \(applied ? "applied" : "not applied").\n")
  }
}
