import ArgumentParser
import Migrations
import ToolSupport

struct Status: ToolCommand {
  static let service = "migrate"
  static let configuration = CommandConfiguration(
    abstract: "Show which migrations are applied, pending, missing or changed.")

  @OptionGroup var files: FilesOptions
  @OptionGroup var database: DatabaseOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var form: JSONOption
  var isJSON: Bool { form.json }

  func run(_ run: Run) throws {
    let migrator = try run.migrator(database)
    let status = try migrator.status(MigrationFiles(folder: files.dir))
    run.show(json: status.json, text: status.text)
  }
}
