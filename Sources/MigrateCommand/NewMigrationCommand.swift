import ArgumentParser
import Migrations
import ToolSupport

struct NewMigrationCommand: ToolCommand {
  static let service = "migrate"
  static let configuration = CommandConfiguration(
    commandName: "new", abstract: "Make the two files of a new migration.",
    discussion: """
      Example:
        migrate new add_orders
      """)

  @Argument(help: "What it does, in a few words: add_orders")
  var name: String
  @OptionGroup var files: FilesOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var form: JSONOption
  var isJSON: Bool { form.json }

  func run(_ run: Run) throws {
    let made = try NewMigration.create(name: name, in: files.dir)
    run.conclude(
      json: ["up": .string(made.up), "down": .string(made.down)], text: "\(made.up)\n\(made.down)\n"
    )
  }
}
