import Postgres

/// Which locks the statements of a transaction take on tables and their like, for the history.
struct HeldLocks {
  private var known: Set<String> = []

  /// Statements that change rows take weak locks only; looking after each of thousands would cost
  /// more than they do.
  private static let passedOver: Set<String> = [
    "insert", "update", "delete", "merge", "select", "values", "with", "copy", "set", "reset",
    "show", "savepoint", "release", "rollback",
  ]

  /// Whether a statement is one to look behind.
  static func matters(_ statement: ScriptStatement) -> Bool {
    !(statement.statement.words.first.map(passedOver.contains) ?? false)
  }

  /// What gives all locks of its own session. Names come from the server's caches, a relation that
  /// is gone has none: a join with `pg_class` behind each statement, planned anew, would take
  /// longer than many a migration.
  static let query: SQLText = """
    SELECT l.relation, l.mode, o.schema, o.identity
    FROM pg_catalog.pg_lock_status() l
    CROSS JOIN LATERAL pg_catalog.pg_identify_object(
      'pg_catalog.pg_class'::pg_catalog.regclass, l.relation, 0) o
    WHERE l.pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid() AND l.granted
      AND l.locktype OPERATOR(pg_catalog.=) 'relation'
    """

  /// The locks in a result of ``query`` that are new since the last call, as a JSON array.
  mutating func added(_ result: QueryResult) -> String {
    var locks: [(relation: String, mode: String)] = []
    for row in 0..<result.rowCount where !result.isNull(row, 2) {
      let (schema, mode) = (result.string(row, 2), result.string(row, 1))
      guard !Self.isOfTheSystem(schema),
        known.insert("\(result.string(row, 0)) \(mode)").inserted
      else { continue }
      locks.append((result.string(row, 3), LockMode.words(mode)))
    }
    return "["
      + locks.sorted { $0 < $1 }.map { lock in
        "{\"relation\":\(JSONText.literal(lock.relation)),\"mode\":\"\(lock.mode)\"}"
      }.joined(separator: ",") + "]"
  }

  private static func isOfTheSystem(_ schema: String) -> Bool {
    schema.hasPrefix("pg_") || schema == "information_schema" || schema == "pgkeep"
  }
}
