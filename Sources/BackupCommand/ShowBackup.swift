import ArgumentParser
import Repository
import ToolSupport

struct ShowBackup: BackupToolCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Show what one backup holds, table by table.",
    discussion: """
        backup show latest
        backup show 20261122T020000Z --json
      """)

  @Argument(help: "The backup's ID, the beginning of one, or \"latest\".")
  var id = "latest"
  @Option(help: ArgumentHelp("Only this database's backups.", valueName: "name"))
  var database: String?
  @OptionGroup var store: StoreOptions
  @OptionGroup var json: JSONOption
  @OptionGroup var output: OutputOptions

  var isJSON: Bool { json.json }

  func run(_ run: Run) throws {
    let catalog = try run.openRepository(store).catalog(
      database: database, cancellation: run.cancellation)
    let entry = try catalog.resolve(id, database: database)
    run.show(json: EntryRendering.json(entry), text: EntryRendering.text(entry))
  }
}
