import Postgres

/// A session that holds, or waits for, a lock that keeps readers out of a relation.
struct LockHolder {
  var relation: UInt32
  /// As `schema.name`; the number where it is gone.
  var relationName: String
  /// Which session, whose, and what it does.
  var words: String

  /// - Parameters:
  ///   - relations: which relations of this database; nil for all.
  ///   - own: processes that do not count.
  static func find(
    _ connection: Connection, relations: [UInt32]? = nil, own: [Int] = []
  ) throws -> [LockHolder] {
    func list(_ numbers: [SQLText]) -> SQLText { numbers.joined(separator: ",") }
    var condition: SQLText = "l.pid <> pg_catalog.pg_backend_pid()"
    if let relations {
      let oids = list(relations.map { SQLText(String($0)) })
      condition += " AND l.relation = ANY ('{\(oids)}'::pg_catalog.oid[])"
    }
    if !own.isEmpty {
      let processes = list(own.map { SQLText(String($0)) })
      condition += " AND l.pid <> ALL ('{\(processes)}'::pg_catalog.int4[])"
    }
    let rows = try connection.query(
      """
      SELECT l.relation, l.pid, a.usename, a.application_name, a.state,
        pg_catalog.date_trunc('second', pg_catalog.clock_timestamp() - a.xact_start),
        pg_catalog.left(a.query, 300), l.granted,
        l.relation::pg_catalog.regclass
      FROM pg_catalog.pg_locks l
      LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
      WHERE l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock'
        AND l.database = (SELECT oid FROM pg_catalog.pg_database
          WHERE datname = pg_catalog.current_database())
        AND \(condition)
      ORDER BY l.granted DESC, l.pid, l.relation
      """)
    return (0..<rows.rowCount).map { row in
      let verb = rows.bool(row, 7) ? "holds" : "waits for"
      var words = "session \(rows.string(row, 1)) \(verb) an exclusive lock"
      if !rows.isNull(row, 2) { words += ", role \(rows.string(row, 2))" }
      if !rows.string(row, 3).isEmpty { words += ", application \(rows.string(row, 3))" }
      if !rows.isNull(row, 4) { words += ", \(rows.string(row, 4))" }
      if !rows.isNull(row, 5) { words += ", in a transaction for \(rows.string(row, 5))" }
      if !rows.string(row, 6).isEmpty { words += ", query: \(rows.string(row, 6))" }
      return LockHolder(
        relation: UInt32(rows.int(row, 0) ?? 0), relationName: rows.string(row, 8), words: words)
    }
  }
}
