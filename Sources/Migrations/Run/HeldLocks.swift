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

  /// What gives all locks of its own session. Names are looked up one by one: a join would read all
  /// of `pg_class` for the few that there are.
  static let query: SQLText = """
    SELECT l.relation, l.mode,
      (SELECT pg_catalog.to_json(
          pg_catalog.format('%I.%I', n.nspname, c.relname))::pg_catalog.text
        FROM pg_catalog.pg_class c, pg_catalog.pg_namespace n
        WHERE c.oid OPERATOR(pg_catalog.=) l.relation
          AND n.oid OPERATOR(pg_catalog.=) c.relnamespace
          AND n.nspname OPERATOR(pg_catalog.!~) '^(pg_|information_schema$|pgkeep$)')
    FROM pg_catalog.pg_locks l
    WHERE l.pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid() AND l.granted
      AND l.locktype OPERATOR(pg_catalog.=) 'relation'
    ORDER BY 3, 2
    """

  /// The locks in a result of ``query`` that are new since the last call, as a JSON array.
  mutating func added(_ result: QueryResult) -> String {
    var locks: [String] = []
    for row in 0..<result.rowCount where !result.isNull(row, 2) {
      let mode = result.string(row, 1)
      guard known.insert("\(result.string(row, 0)) \(mode)").inserted else { continue }
      locks.append("{\"relation\":\(result.string(row, 2)),\"mode\":\"\(LockMode.words(mode))\"}")
    }
    return "[\(locks.joined(separator: ","))]"
  }
}
