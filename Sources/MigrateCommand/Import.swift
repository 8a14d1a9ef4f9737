public import ArgumentParser
public import Migrations
import ToolSupport

extension ForeignTool: ExpressibleByArgument {}

struct Import: ToolCommand {
  static let service = "migrate"
  static let alerts = Alerts.failures
  static let configuration = CommandConfiguration(
    commandName: "import",
    abstract: "Take over another tool's migrations and its history.",
    discussion: """
      Writes its files in our form, and records what its history says is applied, so that a \
      running service changes tools without a gap. Its table stays as it is.

      Examples:
        migrate import alembic backend/
        migrate import dbmate db/migrations --files-only
      """)

  @Argument(help: "alembic, dbmate, goose, golang-migrate, sqlx or flyway")
  var tool: ForeignTool
  @Argument(help: "The folder with its files; for Alembic, the one with alembic.ini.")
  var path: String
  @Flag(help: "Only write the files; the database is not touched.")
  var filesOnly = false
  @Option(help: ArgumentHelp("The alembic program.", valueName: "program"))
  var alembic = "alembic"
  @OptionGroup var files: FilesOptions
  @OptionGroup var lock: LockOptions
  @OptionGroup var database: DatabaseOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var form: JSONOption
  var isJSON: Bool { form.json }

  func run(_ run: Run) throws {
    let migrator = filesOnly ? nil : try run.migrator(database, lock: lock)
    var taken = try MigrationImport(
      tool, path: path, alembic: alembic, cancellation: run.cancellation)
    try taken.write(to: files.dir)
    if let migrator { try taken.adopt(migrator) }
    run.conclude(
      json: [
        "files": .array(taken.files.map { .string($0) }),
        "recorded": .array(taken.recorded.map { .string($0) }),
      ],
      text: "\(taken.files.count) files in \(files.dir), "
        + "\(taken.recorded.count) migrations recorded as applied\n")
  }
}
