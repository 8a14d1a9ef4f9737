import ArgumentParser
import LogicalBackup
import Schema
import ToolSupport

/// What of a database goes into a backup, in pg_dump's words.
struct SelectionOptions: ParsableArguments {
  @Option(
    name: .customLong("table"),
    help: ArgumentHelp(
      "Only this table, view or sequence, or several by a pattern as psql's \\d takes it; may be "
        + "given more than once, as may the next four.", valueName: "pattern"))
  var tables: [String] = []
  @Option(
    name: .customLong("schema"),
    help: ArgumentHelp("Only what lies in this schema.", valueName: "pattern"))
  var schemas: [String] = []
  @Option(
    name: .customLong("exclude-table"),
    help: ArgumentHelp("All but this table.", valueName: "pattern"))
  var excludedTables: [String] = []
  @Option(
    name: .customLong("exclude-schema"),
    help: ArgumentHelp("All but this schema.", valueName: "pattern"))
  var excludedSchemas: [String] = []
  @Option(
    name: .customLong("exclude-table-data"),
    help: ArgumentHelp("The table, without its rows.", valueName: "pattern"))
  var excludedTableData: [String] = []
  @Flag(help: "Leave out rows, large objects and sequences' values.")
  var schemaOnly = false
  @Flag(help: "Leave out the schema.")
  var dataOnly = false
  @Flag(help: "Leave out who owns what.")
  var noOwner = false
  @Flag(help: "Leave out grants and default privileges.")
  var noPrivileges = false

  @Flag(help: "Also settings, comment, limit of connections and privileges of the database itself.")
  var databaseSettings = false

  func validate() throws {
    guard !(schemaOnly && dataOnly) else {
      throw ValidationError("--schema-only and --data-only leave nothing to back up.")
    }
  }

  var selection: ExportSelection {
    var selection = ExportSelection()
    selection.filter = SchemaFilter(
      tables: tables, schemas: schemas, excludedTables: excludedTables,
      excludedSchemas: excludedSchemas, excludedTableData: excludedTableData)
    selection.contents = schemaOnly ? .schema : dataOnly ? .rows : .all
    selection.omitsOwners = noOwner
    selection.omitsPrivileges = noPrivileges
    selection.includesDatabaseSettings = databaseSettings
    return selection
  }
}
