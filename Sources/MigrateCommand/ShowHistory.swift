import ArgumentParser
import Migrations
import ToolSupport

struct ShowHistory: ToolCommand {
  static let service = "migrate"
  static let configuration = CommandConfiguration(
    commandName: "history", abstract: "Show every up and down that was ever done, oldest first.",
    discussion: """
      Examples:
        migrate history
        migrate history --json
      """)

  @OptionGroup var database: DatabaseOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var form: JSONOption
  var isJSON: Bool { form.json }

  func run(_ run: Run) throws {
    let entries = try run.migrator(database).history()
    run.show(json: .array(entries.map(\.json)), text: entries.text)
  }
}
