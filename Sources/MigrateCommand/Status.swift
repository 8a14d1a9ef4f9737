import ArgumentParser
import Migrations
import ToolSupport

struct Status: ToolCommand {
  static let service = "migrate"
  static let configuration = CommandConfiguration(
    abstract: "Show which migrations are applied, pending, missing or changed.",
    discussion: """
      Examples:
        migrate status
        migrate status --json
      """)

  @OptionGroup var tenants: TenantOptions
  @OptionGroup var files: FilesOptions
  @OptionGroup var database: DatabaseOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var form: JSONOption
  var isJSON: Bool { form.json }

  func run(_ run: Run) throws {
    let migrator = try run.migrator(database)
    let files = try MigrationFiles(folder: files.dir)
    let all = try tenants.forEach(migrator, run) { migrator in
      let status = try migrator.status(files)
      if !isJSON { run.show(json: .null, text: status.text) }
      return [status]
    }
    guard isJSON else { return }
    run.show(
      json: tenants.eachSchema == nil ? all.first?.json ?? .null : .array(all.map(\.json)),
      text: "")
  }
}
