public import Postgres

/// Whether the server can hold as many locks as a backup needs.
public enum LockTableSize {
  /// Locks beside those of the tables: catalogs, indexes, and what others hold.
  private static let reserve = 200

  /// - Parameters:
  ///   - tables: how many tables will be locked.
  ///   - timeout: the longest wait for the server's answer; nil for none of our own.
  /// - Throws: ``LogicalBackupError/Code/configuration`` with the setting that would be enough.
  public static func check(
    _ connection: Connection, tables: Int, timeout: Duration? = nil
  ) throws {
    let row = try connection.query(
      """
      SELECT pg_catalog.current_setting('max_locks_per_transaction'),
        pg_catalog.current_setting('max_connections')::pg_catalog.int4
          + pg_catalog.current_setting('max_prepared_transactions')::pg_catalog.int4,
        (SELECT pg_catalog.count(*) FROM pg_catalog.pg_locks)
      """, timeout: timeout)
    let perSession = row.int(0, 0) ?? 64
    let sessions = max(1, row.int(0, 1) ?? 100)
    let needed = tables + reserve + (row.int(0, 2) ?? 0)
    guard needed > perSession * sessions else { return }
    throw LogicalBackupError(
      .configuration,
      "The database has \(tables) tables, all of which a backup locks, and the server has room for "
        + "about \(perSession * sessions) locks. Set max_locks_per_transaction to "
        + "\((needed + sessions - 1) / sessions) or more (it is \(perSession)) and restart the "
        + "server.")
  }
}
