import ArgumentParser
import ToolSupport

@main
struct Migrate: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "migrate",
    abstract: "Changes a PostgreSQL database's schema by files, and takes the changes back.",
    discussion: """
      Files are pairs in the folder migrations: <version>_<name>.up.sql and .down.sql. The \
      database is the one in DATABASE_URL.

      Examples:
        migrate new add_orders
        migrate up
        migrate status
        migrate down -1
      """,
    version: ToolVersion.current,
    subcommands: [
      NewMigrationCommand.self, Up.self, Down.self, Status.self, ShowHistory.self, Current.self,
      Verify.self, Redo.self, Baseline.self, Repair.self, Wait.self,
      Import.self, Rehearse.self, Diff.self, SchemaCommand.self,
    ])

  static func main() { ToolMain.main(Self.self) }
}
