import Postgres

/// The tables and columns that hold rows, as far as it takes to see what a statement drops.
struct TableShapes {
  struct Table {
    let oid: String
    let schema: SQLText
    let name: SQLText
    /// The partitioned table that it is a partition of.
    let parent: String?
    let isPartitioned: Bool
    /// With TOAST, without indexes; 0 for a partitioned table.
    let bytes: Int
    /// By number, without generated ones.
    var columns: [Int: SQLText] = [:]

    var qualifiedName: SQLText { .qualified(schema, name) }
    /// For people.
    var words: String { "\(schema).\(name)" }
  }

  /// What is no longer there.
  struct Loss {
    let table: Table
    /// Columns, by number; nil when the whole table is gone.
    let columns: [Int: SQLText]?
  }

  let tables: [String: Table]

  /// Reads them in the connection's transaction, whatever settings a migration has made.
  init(_ connection: Connection) throws {
    let result = try connection.query(
      """
      SELECT c.oid, n.nspname, c.relname,
        CASE WHEN c.relispartition THEN (
          SELECT i.inhparent FROM pg_catalog.pg_inherits i
          WHERE i.inhrelid OPERATOR(pg_catalog.=) c.oid) END,
        c.relkind OPERATOR(pg_catalog.=) 'p', pg_catalog.pg_table_size(c.oid), a.attnum, a.attname
      FROM pg_catalog.pg_class c
      JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
      LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid OPERATOR(pg_catalog.=) c.oid
        AND a.attnum OPERATOR(pg_catalog.>) 0 AND NOT a.attisdropped
        AND a.attgenerated OPERATOR(pg_catalog.=) ''
      WHERE c.relkind OPERATOR(pg_catalog.=) ANY ('{r,p}')
        AND c.relpersistence OPERATOR(pg_catalog.<>) 't'
        AND n.nspname OPERATOR(pg_catalog.!~) '^(pg_|information_schema$|pgkeep$)'
      """)
    var tables: [String: Table] = [:]
    for row in 0..<result.rowCount {
      let oid = result.string(row, 0)
      guard let schema = result[row, 1], let name = result[row, 2] else { continue }
      var table =
        tables[oid]
        ?? Table(
          oid: oid, schema: schema, name: name,
          parent: result.isNull(row, 3) ? nil : result.string(row, 3),
          isPartitioned: result.bool(row, 4), bytes: result.int(row, 5) ?? 0)
      if let number = result.int(row, 6), let column = result[row, 7] {
        table.columns[number] = column
      }
      tables[oid] = table
    }
    self.tables = tables
  }

  /// What `later` no longer has, by name. Partitions are told by what they are partitions of.
  func losses(to later: TableShapes) -> [Loss] {
    func lost(_ table: Table) -> [Int: SQLText]? {
      guard let after = later.tables[table.oid] else { return table.columns }
      return table.columns.filter { after.columns[$0.key] == nil }
    }
    return tables.values.compactMap { table -> Loss? in
      guard let columns = lost(table), !columns.isEmpty else { return nil }
      if let parent = table.parent.flatMap({ tables[$0] }), lost(parent)?.isEmpty == false {
        return nil
      }
      return Loss(table: table, columns: later.tables[table.oid] == nil ? nil : columns)
    }.sorted { ($0.table.schema, $0.table.name) < ($1.table.schema, $1.table.name) }
  }

  /// Bytes of a table with all of its partitions.
  func bytes(_ table: Table) -> Int {
    table.bytes + tables.values.filter { $0.parent == table.oid }.reduce(0) { $0 + bytes($1) }
  }
}
