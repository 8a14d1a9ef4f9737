import ArgumentParser
import Migrations
import ToolSupport

struct Redo: ToolCommand {
  static let service = "migrate"
  static let alerts = Alerts.failures
  static let configuration = CommandConfiguration(
    commandName: "redo",
    abstract: "Take the last migration back and apply it again from its file.",
    discussion: """
      Example:
        migrate redo
      """)

  @OptionGroup var files: FilesOptions
  @OptionGroup var lock: LockOptions
  @OptionGroup var database: DatabaseOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var form: JSONOption
  var isJSON: Bool { form.json }

  func run(_ run: Run) throws {
    let done = try run.migrator(database, lock: lock).redo(
      MigrationFiles(folder: files.dir))
    run.conclude(json: done.json, text: "")
  }
}
