import ArgumentParser
import Migrations
import ToolSupport

struct SchemaCommand: ToolCommand {
  static let service = "migrate"
  static let configuration = CommandConfiguration(
    commandName: "schema",
    abstract: "Write the database's schema to a file, or check the file.",
    discussion: """
      Examples:
        migrate schema
        migrate schema --check
      """)

  @Flag(help: "Write nothing; exit with 5 when the file is not the database's schema.")
  var check = false
  @Option(help: ArgumentHelp("The file; schema.sql in the migrations folder.", valueName: "path"))
  var file: String?
  @OptionGroup var files: FilesOptions
  @OptionGroup var database: DatabaseOptions
  @OptionGroup var output: OutputOptions

  func run(_ run: Run) throws {
    let path = file ?? "\(files.dir)/schema.sql"
    let text = try SchemaFile.text(
      run.configuration.database(flag: database.databaseUrl), cancellation: run.cancellation)
    if check {
      try SchemaFile.check(text, against: path)
      run.say("\(path) is the database's schema.\n")
    } else {
      try SchemaFile.write(text, to: path)
      run.say("\(path)\n")
    }
  }
}
