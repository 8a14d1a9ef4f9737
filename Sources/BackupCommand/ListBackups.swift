import ArgumentParser
import Repository
import ToolSupport

struct ListBackups: BackupToolCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List the backups in the store.",
    discussion: """
      Each with its age, size, rows and state; "complete" ones can be restored. Also what \
      interrupted runs left.

        backup list
        backup list --database shop --json
      """)

  @Option(help: ArgumentHelp("Only this database's.", valueName: "name"))
  var database: String?
  @OptionGroup var store: StoreOptions
  @OptionGroup var json: JSONOption
  @OptionGroup var output: OutputOptions

  var isJSON: Bool { json.json }

  func run(_ run: Run) throws {
    let catalog = try run.openRepository(store).catalog(
      database: database, cancellation: run.cancellation)
    run.show(json: CatalogRendering.json(catalog), text: CatalogRendering.text(catalog))
  }
}
