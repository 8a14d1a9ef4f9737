import ByteStream
import Postgres

/// The transaction that a backup is taken in: it holds a lock on every table, and a snapshot that
/// other connections can join.
///
/// The order is what matters. A snapshot that is older than the locks sees a table that somebody
/// truncates in between as empty, without an error. So locks come first, as the transaction's
/// first statements, which do not fix its snapshot; then the snapshot; then, under it, the list of
/// tables once more, and if one of them is not locked, everything starts again.
final class SnapshotSession {
  let connection: Connection
  /// What the other connections join by.
  let snapshot: SQLText
  /// The tables that are locked: all that there are.
  let tables: [LockedTable]

  private init(_ connection: Connection, snapshot: SQLText, tables: [LockedTable]) {
    self.connection = connection
    self.snapshot = snapshot
    self.tables = tables
  }

  /// Locks all tables and takes the snapshot.
  ///
  /// - Parameter connection: one with no transaction open, which this takes over.
  /// - Throws: ``LogicalBackupError``: `lockNotObtained` with the query that holds the lock,
  ///   `configuration` when the server's lock table is too small, `permission`, `schemaChanged`.
  static func open(
    _ connection: Connection, _ options: SnapshotOptions = SnapshotOptions(),
    hooks: SnapshotHooks = SnapshotHooks()
  ) throws -> SnapshotSession {
    let locker = TableLocker(connection, until: .now + options.lockWait)
    for round in 0..<options.rounds {
      let wanted = try LockedTable.list(connection, options.filter)
      try LockTableSize.check(connection, tables: wanted.count)
      try hooks.afterListing()
      try connection.run(SnapshotTransaction.begin)
      guard try locker.lock(wanted) else { continue }
      try hooks.afterLocking()
      let snapshot = try SnapshotTransaction.export(connection)
      try hooks.afterSnapshot()
      let found = try LockedTable.list(connection, options.filter)
      if Set(found).isSubset(of: wanted) {
        return SnapshotSession(connection, snapshot: snapshot, tables: found)
      }
      try connection.run("ROLLBACK")
      SnapshotOptions.pause(after: round)
    }
    throw LogicalBackupError(
      .schemaChanged,
      "Tables were made, renamed or dropped in each of \(options.rounds) attempts to lock all "
        + "tables of \(connection.target). Take the backup when fewer of them come and go.")
  }

  /// Ends the transaction, and with it the locks.
  func close() { connection.close() }
}
