/// Which part of a database a backup is of, by patterns as psql's `\d` takes them: `*` and `?` stand
/// for any characters and for one, what is in double quotes is meant literally, a dot parts schema
/// and name, and a name without a schema is one that the session's own `search_path` finds.
public struct SchemaFilter: Sendable, Hashable {
  /// Only these tables, views and sequences, with what belongs to them; empty for all.
  public var tables: [String]
  /// Only these schemas, and nothing that lies in none; empty for all.
  public var schemas: [String]
  public var excludedTables: [String]
  public var excludedSchemas: [String]
  /// Tables that are made, but whose rows stay behind.
  public var excludedTableData: [String]

  public init(
    tables: [String] = [], schemas: [String] = [], excludedTables: [String] = [],
    excludedSchemas: [String] = [], excludedTableData: [String] = []
  ) {
    self.tables = tables
    self.schemas = schemas
    self.excludedTables = excludedTables
    self.excludedSchemas = excludedSchemas
    self.excludedTableData = excludedTableData
  }

  /// Nothing is left out.
  public var isEmpty: Bool { self == SchemaFilter() }
}
