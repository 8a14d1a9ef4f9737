import ArgumentParser
import Migrations
import ToolSupport

struct Wait: ToolCommand {
  static let service = "migrate"
  static let configuration = CommandConfiguration(
    commandName: "wait",
    abstract: "Wait until the database accepts connections.",
    discussion: """
      Examples:
        migrate wait --timeout 30s
        migrate wait --applied
      """)

  @Option(help: ArgumentHelp("How long at most.", valueName: "time"))
  var timeout = TimeOption(milliseconds: 60_000)
  @Flag(help: "Also wait until all migrations are applied, by another instance.")
  var applied = false
  @OptionGroup var files: FilesOptions
  @OptionGroup var database: DatabaseOptions
  @OptionGroup var output: OutputOptions

  func run(_ run: Run) throws {
    let files = applied ? try MigrationFiles(folder: files.dir) : nil
    try run.migrator(database).wait(files, limit: .milliseconds(timeout.milliseconds))
    run.say("The database is ready.\n")
  }
}
