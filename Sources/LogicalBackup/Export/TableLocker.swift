import ByteStream
import Glibc
import Postgres

/// Takes ACCESS SHARE on many tables in a transaction that has no snapshot yet.
///
/// While it holds locks it waits for none, so that it can never be part of a deadlock, whose victim
/// could be a migration: when a lock is not free at once, it lets go of all, waits for that one
/// alone, and has the caller start again.
struct TableLocker {
  private let connection: Connection
  private let deadline: ContinuousClock.Instant
  private static let batch = 1000

  init(_ connection: Connection, until deadline: ContinuousClock.Instant) {
    self.connection = connection
    self.deadline = deadline
  }

  /// Locks all tables in the open transaction.
  ///
  /// - Returns: false when a table was not there any more, or not free: the transaction is then
  ///   over, the wait for that table done, and the tables are to be listed anew.
  func lock(_ tables: [LockedTable]) throws -> Bool {
    for start in stride(from: 0, to: tables.count, by: Self.batch) {
      let batch = Array(tables[start..<min(start + Self.batch, tables.count)])
      do {
        try connection.run(Self.statement(batch) + " NOWAIT")
      } catch let error as PostgresError {
        try? connection.run("ROLLBACK")
        switch error.sqlState {
        case .some(.undefinedTable), .some("3F000"), .some("42809"):
          // Dropped, renamed, or with its schema, or made into a view, since it was listed.
          return false
        case .some(.lockNotAvailable):
          try wait(batch)
          return false
        default:
          throw try explained(error, batch)
        }
      }
    }
    return true
  }

  /// The statement that locks tables. It does not fix a transaction's snapshot.
  static func statement(_ tables: [LockedTable]) -> SQLText {
    let names = tables.map { "ONLY \($0.qualifiedName)" as SQLText }.joined(separator: ", ")
    return "LOCK TABLE \(names) IN ACCESS SHARE MODE"
  }

  /// Waits until the tables of a batch are free that are not now, one after the other, without
  /// holding any.
  private func wait(_ batch: [LockedTable]) throws {
    let blocked = try blockers(batch)
    guard let first = blocked.first,
      let table = batch.first(where: { $0.oid == first.relation })
    else {
      // It was free again before we could look. A breath, lest we spin.
      guard ContinuousClock.now < deadline else { throw timedOut(nil, batch[0]) }
      usleep(50_000)
      return
    }
    let left = ContinuousClock.now.duration(to: deadline)
    guard left > .zero else { throw timedOut(first, table) }
    let milliseconds = max(1, Int(left / .milliseconds(1)))
    do {
      try connection.transaction {
        try connection.run("SET LOCAL lock_timeout = \(milliseconds)")
        try connection.run(Self.statement([table]))
      }
    } catch let error as PostgresError {
      switch error.sqlState {
      case .some(.lockNotAvailable): throw timedOut(try blockers([table]).first ?? first, table)
      case .some(.undefinedTable), .some("3F000"), .some("42809"), .some(.deadlockDetected): return
      default: throw error
      }
    }
  }

  private func blockers(_ tables: [LockedTable]) throws -> [LockHolder] {
    try LockHolder.find(connection, relations: tables.map(\.oid))
  }

  private func timedOut(_ blocker: LockHolder?, _ table: LockedTable) -> LogicalBackupError {
    let words = blocker.map { " (\($0.words))" } ?? ""
    return LogicalBackupError(
      .lockNotObtained,
      "Table \(table.qualifiedName) is locked by another session\(words), and the wait for it is "
        + "over. Take the backup when that session has finished.",
      object: "\(table.qualifiedName)")
  }

  /// Finds the table that a refused batch is refused for.
  private func explained(
    _ error: PostgresError, _ batch: [LockedTable]
  ) throws -> any Error {
    guard error.sqlState == .insufficientPrivilege else { return error }
    let oids = batch.map { SQLText(String($0.oid)) }.joined(separator: ",")
    let refused = try connection.query(
      """
      SELECT c.oid::pg_catalog.regclass, pg_catalog.pg_get_userbyid(c.relowner), current_user
      FROM pg_catalog.pg_class c
      WHERE c.oid = ANY ('{\(oids)}'::pg_catalog.oid[])
        AND (NOT pg_catalog.has_schema_privilege(c.relnamespace, 'USAGE')
          OR NOT pg_catalog.has_table_privilege(c.oid, 'SELECT'))
      ORDER BY 1 LIMIT 1
      """)
    guard refused.rowCount > 0 else { return error }
    let table = refused.string(0, 0)
    return LogicalBackupError(
      .permission,
      "Role \(refused.string(0, 2)) may not read table \(table), which belongs to "
        + "\(refused.string(0, 1)). Grant it the role pg_read_all_data, or take the backup as the "
        + "tables' owner.", object: table, cause: error)
  }
}
