import ArgumentParser
import Migrations
import ToolSupport

struct Baseline: ToolCommand {
  static let service = "migrate"
  static let alerts = Alerts.failures
  static let configuration = CommandConfiguration(
    commandName: "baseline",
    abstract: "Adopt a database that already has the schema up to a version.",
    discussion: """
      Records the migrations up to VERSION as applied, and runs nothing.

      Example:
        migrate baseline 20261122093000
      """,
    aliases: ["stamp"])

  @Argument(help: "The last version that the database has already.")
  var version: MigrationVersion
  @OptionGroup var files: FilesOptions
  @OptionGroup var lock: LockOptions
  @OptionGroup var database: DatabaseOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var form: JSONOption
  var isJSON: Bool { form.json }

  func run(_ run: Run) throws {
    let recorded = try run.migrator(database, lock: lock).baseline(
      MigrationFiles(folder: files.dir), at: version)
    run.conclude(
      json: ["recorded": .array(recorded.map { .string($0.title) })],
      text: recorded.map { "baseline  \($0.title)\n" }.joined()
        + "\(recorded.count) recorded as applied; nothing was run.\n")
  }
}
