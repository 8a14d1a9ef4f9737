import Postgres

/// The index that a `CREATE INDEX CONCURRENTLY` makes.
///
/// When that fails it leaves an invalid index behind, which every write goes on filling and which
/// `IF NOT EXISTS` takes for the real one.
struct ConcurrentIndex {
  /// As it is written in the statement.
  private let name: SQLText
  private let table: SQLText

  /// nil for any other statement, and for an index that is given no name.
  init?(_ statement: SQLStatement) {
    var names = SQLNames(statement)
    guard names.skip("create") else { return nil }
    _ = names.skip("unique")
    guard names.skip("index"), names.skip("concurrently") else { return nil }
    _ = names.skip("if", "not", "exists")
    guard !names.skip("on"), let name = names.name(), names.skip("on") else { return nil }
    _ = names.skip("only")
    guard let table = names.name() else { return nil }
    self.name = name
    self.table = table
  }

  /// What the catalogs say: nil when there is no such index.
  func isValid(_ connection: Connection) throws -> Bool? {
    let result = try connection.query(
      """
      SELECT i.indisvalid, x.relname, n.nspname
      FROM pg_catalog.pg_class t
      JOIN pg_catalog.pg_index i ON i.indrelid OPERATOR(pg_catalog.=) t.oid
      JOIN pg_catalog.pg_class x ON x.oid OPERATOR(pg_catalog.=) i.indexrelid
      JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) x.relnamespace
      WHERE t.oid OPERATOR(pg_catalog.=) pg_catalog.to_regclass($1)
        AND x.relname OPERATOR(pg_catalog.=)
          (pg_catalog.parse_ident($2))[1]
      """, [table, name])
    return result.rowCount == 0 ? nil : result.bool(0, 0)
  }

  func isInvalid(_ connection: Connection) throws -> Bool { try isValid(connection) == false }

  /// Drops the index where it is invalid. Blocks until no transaction uses it any more.
  func dropIfInvalid(_ connection: Connection) throws {
    guard try isInvalid(connection), let qualified = try qualifiedName(connection) else { return }
    try connection.run("DROP INDEX CONCURRENTLY \(qualified)")
  }

  /// Drops the invalid index for as long as a person would wait, and says what became of it.
  func dropRemains(_ connection: Connection) throws -> String {
    guard let qualified = try qualifiedName(connection) else { return "" }
    do {
      try connection.run("DROP INDEX CONCURRENTLY \(qualified)", timeout: .seconds(10))
      return "The invalid index \(qualified) that it left was dropped. "
    } catch is PostgresError {
      return "It left the invalid index \(qualified), which slows every write; "
        + "the next migrate up drops it, or DROP INDEX CONCURRENTLY \(qualified) does. "
    }
  }

  private func qualifiedName(_ connection: Connection) throws -> SQLText? {
    let result = try connection.query(
      """
      SELECT pg_catalog.format('%I.%I', n.nspname, x.relname)
      FROM pg_catalog.pg_index i
      JOIN pg_catalog.pg_class x ON x.oid OPERATOR(pg_catalog.=) i.indexrelid
      JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) x.relnamespace
      WHERE i.indrelid OPERATOR(pg_catalog.=) pg_catalog.to_regclass($1)
        AND x.relname OPERATOR(pg_catalog.=) (pg_catalog.parse_ident($2))[1]
      """, [table, name])
    return result.rowCount == 0 ? nil : result[0, 0]
  }
}
