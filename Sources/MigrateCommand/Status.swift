import ArgumentParser
import Migrations
import ToolSupport

struct Status: ToolCommand {
  static let service = "migrate"
  static let configuration = CommandConfiguration(
    commandName: "status",
    abstract: "Show which migrations are applied, pending, missing or changed.",
    discussion: """
      Examples:
        migrate status
        migrate status --json
        migrate status --drift
      """)

  @Flag(help: "Also tell what was changed by hand since the last migration; exit with 5 if so.")
  var drift = false
  @OptionGroup var tenants: TenantOptions
  @OptionGroup var files: FilesOptions
  @OptionGroup var database: DatabaseOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var form: JSONOption
  var isJSON: Bool { form.json }

  func run(_ run: Run) throws {
    let folder = FolderOverview(files.dir)
    let migrator = try run.migrator(database)
    let all = try tenants.forEach(migrator, run) { migrator in
      let status = try migrator.status(folder)
      if !isJSON { run.show(json: .null, text: status.text) }
      return status
    }
    let found = drift ? try migrator.drift() : nil
    if isJSON {
      let each = all.map { $0.result.json.named($0.schema) }
      var json = tenants.eachSchema == nil ? each.first ?? .null : .array(each)
      if let found, case .object(var members) = json {
        members.append(.init("drift", found.json))
        json = .object(members)
      }
      run.show(json: json, text: "")
    } else if let found {
      run.show(json: .null, text: found.text)
    }
    if let found { try found.check() }
  }
}
