import ByteStream
import Postgres

/// Collects the planner's statistics of all tables, with several connections at the same time.
struct Analysis: Sendable {
  private let restore: RestoreRun

  init(_ run: RestoreRun) { restore = run }

  func run() throws {
    let connection = try restore.connect(restore.cancellation)
    // A partitioned table's ANALYZE takes its partitions along. What the role may not analyse
    // belongs to an extension or to somebody else, and the server passes over it by itself. A table
    // with foreign tables below it would be sampled on their servers, which a restore does not
    // need to reach: it is left to the operator, and the partitions that are here come by themselves.
    let rows = try connection.query(
      """
      WITH RECURSIVE over_foreign (oid) AS (
        SELECT i.inhparent FROM pg_catalog.pg_inherits i
        JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid AND c.relkind = 'f'
        UNION
        SELECT i.inhparent FROM pg_catalog.pg_inherits i JOIN over_foreign o ON o.oid = i.inhrelid)
      SELECT n.nspname, c.relname FROM pg_catalog.pg_class c
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind IN ('r', 'm', 'p') AND c.relpersistence <> 't'
        AND c.oid NOT IN (SELECT oid FROM over_foreign)
        AND (NOT c.relispartition OR EXISTS (SELECT FROM pg_catalog.pg_inherits i
          JOIN over_foreign o ON o.oid = i.inhparent WHERE i.inhrelid = c.oid))
        AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', $1)
      ORDER BY pg_catalog.pg_table_size(c.oid) DESC, c.oid
      """, [SQLText(UserObjects.markerSchema)])
    connection.close()
    let tables = (0..<rows.rowCount).map { row in
      (schema: rows[row, 0] ?? "", name: rows[row, 1] ?? "")
    }
    let queue = WorkQueue(tables)
    let group = ThreadGroup(following: restore.cancellation)
    for number in 0..<min(max(1, restore.options.jobs), tables.count) {
      group.start("analyze-\(number)") {
        let connection = try restore.connect(group.cancellation)
        while let table = queue.take() {
          try analyze(table.schema, table.name, connection)
          restore.advance(steps: 1)
        }
        connection.close()
      }
    }
    try group.join()
  }

  /// A function in an index or in extended statistics may lack what it finds by `search_path`. The
  /// statistics are not worth a restore's failure then.
  private func analyze(_ schema: SQLText, _ name: SQLText, _ connection: Connection) throws {
    let table = SQLText.qualified(schema, name)
    do { try connection.run("ANALYZE \(table)") } catch let error as PostgresError {
      guard let function = error.server.flatMap(SearchPathRetry.function) else { throw error }
      if restore.options.retriesSearchPath {
        let path = try SearchPathRetry.path(schema, connection)
        do {
          return try connection.run("SET LOCAL search_path = \(path); ANALYZE \(table)")
        } catch let error as PostgresError where error.code == .server {}
      }
      restore.report { report in
        report.notes.append(
          "Warning: the planner's statistics of \(table) were not collected, since the function "
            + "\(function) finds what it uses by search_path: ALTER FUNCTION … SET search_path.")
      }
    }
  }
}
