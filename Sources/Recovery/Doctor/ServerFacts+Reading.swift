import ObjectStore
import Postgres

extension ServerFacts {
  /// Reads what only the checks of the backups use. What the role may not read stays unknown.
  mutating func readMore(_ connection: Connection, _ limit: Duration) {
    let control = try? connection.query(
      "SELECT system_identifier FROM pg_control_system()", timeout: limit)
    systemIdentifier = control?.string(0, 0)
    let position = try? connection.query(
      """
      SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()
        ELSE pg_current_wal_flush_lsn() END
      """, timeout: limit)
    walPosition = position.flatMap { LSN($0.string(0, 0)) }
    let migrationKeys = "\(AdvisoryLocks.migrationRun), \(AdvisoryLocks.migrationWork)"
    let holder = try? connection.query(
      """
      SELECT l.pid, a.usename FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid
      WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
        AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND l.classid::bigint << 32 | l.objid::bigint IN (\(SQLText(migrationKeys)))
      LIMIT 1
      """, timeout: limit)
    if let holder, holder.rowCount == 1 {
      migrationRunning = "process \(holder.string(0, 0)) of role \(holder.string(0, 1))"
    }
    guard
      let rows = try? connection.query(
        """
        SELECT coalesce(version, name), (extract(epoch FROM recorded_at) * 1000)::bigint,
          coalesce(duration_ms, 0)
        FROM pgkeep.migration_history
        WHERE outcome IN ('done', 'failed') AND recorded_at > now() - interval '90 days'
        ORDER BY recorded_at DESC LIMIT 1000
        """, timeout: limit)
    else { return }
    migrations = (0..<rows.rowCount).map { row in
      (
        rows.string(row, 0), UTCTime(milliseconds: Int64(rows.int(row, 1) ?? 0)),
        rows.int(row, 2) ?? 0
      )
    }
  }
}
