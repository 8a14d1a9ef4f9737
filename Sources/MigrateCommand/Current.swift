import ArgumentParser
import Migrations
import ToolSupport

struct Current: ToolCommand {
  static let service = "migrate"
  static let configuration = CommandConfiguration(
    commandName: "current",
    abstract: "Show the migration that was applied last.",
    discussion: """
      Example:
        migrate current
      """)

  @OptionGroup var database: DatabaseOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var form: JSONOption
  var isJSON: Bool { form.json }

  func run(_ run: Run) throws {
    let current = try run.migrator(database).current()
    run.show(
      json: ["current": current?.json ?? .null],
      text: (current?.title ?? "No migration is applied.") + "\n")
  }
}
