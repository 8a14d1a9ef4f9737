public import Schema

/// What of a database a backup is to hold.
public struct ExportSelection: Sendable, Hashable {
  /// Definitions, rows, or both.
  public enum Contents: String, Sendable, Hashable {
    case all
    /// No rows, large objects or sequences' values.
    case schema
    /// Nothing but those, with parents' rows before children's.
    case rows
  }

  /// Tables and schemas, by patterns.
  public var filter = SchemaFilter()
  public var contents = Contents.all
  /// Leave out who owns what.
  public var omitsOwners = false
  /// Leave out grants and default privileges.
  public var omitsPrivileges = false

  /// Take along what belongs to the database itself: settings, comment, limit of connections,
  /// privileges.
  public var includesDatabaseSettings = false

  public init() {}

  /// Whether something of the database is left out.
  public var isPartial: Bool {
    var whole = ExportSelection()
    whole.includesDatabaseSettings = includesDatabaseSettings
    return self != whole
  }

  /// What is left out, in words for people; empty when nothing is.
  public var words: [String] {
    var words: [String] = []
    func add(_ what: String, _ patterns: [String]) {
      if !patterns.isEmpty { words.append("\(what) \(patterns.joined(separator: ", "))") }
    }
    // As with pg_dump, chosen tables come whatever is said of schemas.
    add("only tables", filter.tables)
    if filter.tables.isEmpty {
      add("only schemas", filter.schemas)
      add("without schemas", filter.excludedSchemas)
    }
    add("without tables", filter.excludedTables)
    add("without the rows of", filter.excludedTableData)
    switch contents {
    case .all: break
    case .schema: words.append("only the schema, no rows")
    case .rows: words.append("only rows, no schema")
    }
    if omitsOwners { words.append("without owners") }
    if omitsPrivileges { words.append("without privileges") }
    return words
  }

  /// Whether tables, or all that lies in schemas, is left out.
  var leavesOutObjects: Bool {
    var filter = filter
    filter.excludedTableData = []
    return !filter.isEmpty
  }

  /// Large objects belong to no schema and no table: they come with whole databases only.
  var takesLargeObjects: Bool {
    contents != .schema && filter.tables.isEmpty && filter.schemas.isEmpty
  }

  var script: ScriptOptions {
    ScriptOptions(
      includesOwners: !omitsOwners && contents != .rows,
      includesPrivileges: !omitsPrivileges && contents != .rows)
  }
}
