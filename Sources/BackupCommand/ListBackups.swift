import ArgumentParser
import PhysicalBackup
import Repository
import ToolSupport

struct ListBackups: BackupToolCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List the backups in the store.",
    discussion: """
      Each with its age, size, rows and state; "complete" ones can be restored. Also what \
      interrupted runs left, and, where base backups and WAL are kept, between which moments every \
      one can be restored, and where WAL is missing.

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
    let repository = try run.openRepository(store)
    let catalog = try repository.catalog(database: database, cancellation: run.cancellation)
    // Base backups are of whole clusters.
    let clusters =
      database == nil ? try run.clusters(in: SealedStore(repository.store), points: .ends) : []
    let globals = database == nil ? try repository.globals(cancellation: run.cancellation) : []
    run.show(
      json: CatalogRendering.json(catalog, PhysicalRendering.json(clusters), globals),
      text: CatalogRendering.text(catalog) + PhysicalRendering.text(clusters)
        + GlobalsRendering.text(globals))
  }
}
