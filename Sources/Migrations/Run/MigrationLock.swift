import ByteStream
import Glibc
import Postgres

/// The lock that lets one run at a time change a database.
///
/// A session that waits inside `pg_advisory_lock` holds a snapshot, and `CREATE INDEX CONCURRENTLY`
/// of the run that holds the lock waits for that snapshot: both wait for ever. So this polls
/// `pg_try_advisory_lock` on an autocommit connection of its own, with no transaction open.
///
/// A second, shared lock is held by the session that does the work. It outlives a killed client
/// for as long as the server is still busy for it, and the next run waits for it too.
final class MigrationLock {
  static let runKey = AdvisoryLocks.migrationRun
  static let workKey = AdvisoryLocks.migrationWork

  /// Holds the lock for as long as it is open. Also what failures are recorded over, so the run's
  /// cancellation does not reach it.
  let connection: Connection
  private let cancellation: Cancellation

  init(_ target: ConnectionTarget, cancellation: Cancellation) throws {
    self.cancellation = cancellation
    connection = try Connection(
      target, ConnectionOptions(applicationName: "pgkeep migrate lock", profile: .statements),
      cancellation: Cancellation())
  }

  /// Waits until the lock is ours and nothing of an earlier run is left on the server.
  ///
  /// - Throws: ``MigrationsError/Code/lockNotObtained`` after `limit`.
  func obtain(limit: Duration, onWait: (LockHolder) -> Void) throws {
    let deadline = ContinuousClock.now + limit
    try poll(until: deadline, limit, key: Self.runKey, onWait) { try isFree(Self.runKey) }
    try poll(until: deadline, limit, key: Self.workKey, onWait) { try isWorkOver() }
  }

  /// Waits until the server has ended the session that did this run's work: after a lost
  /// connection it may still be busy.
  func awaitEndOfWork() throws {
    let limit: Duration = .seconds(60)
    try poll(
      until: .now + limit, limit, key: Self.workKey, isStoppable: false, { _ in },
      { try isWorkOver() })
  }

  private func isWorkOver() throws -> Bool {
    guard try isFree(Self.workKey) else { return false }
    try connection.run("SELECT pg_catalog.pg_advisory_unlock(\(Self.workKey))")
    return true
  }

  /// Tries, and waits between tries from 25 ms to a second.
  private func poll(
    until deadline: ContinuousClock.Instant, _ limit: Duration, key: String,
    isStoppable: Bool = true, _ onWait: (LockHolder) -> Void, _ attempt: () throws -> Bool
  ) throws {
    var pause = 25_000
    var told: Int?
    while true {
      if try attempt() { return }
      if isStoppable, let reason = cancellation.reason {
        throw MigrationsError(.cancelled, "Stopped while waiting for the lock: \(reason).")
      }
      if let holder = try holder(key), holder.processID != told {
        told = holder.processID
        onWait(holder)
      }
      guard ContinuousClock.now < deadline else {
        let holder = try holder(key).map { " It is held by \($0)." } ?? ""
        throw MigrationsError(
          .lockNotObtained,
          "Another run holds the migration lock of \(connection.target), and did so for all of "
            + "\(limit.components.seconds) s (--lock-wait).\(holder)")
      }
      usleep(UInt32(pause + Int.random(in: 0...pause / 4)))
      pause = min(pause * 3 / 2, 1_000_000)
    }
  }

  private func isFree(_ key: String) throws -> Bool {
    try connection.query("SELECT pg_catalog.pg_try_advisory_lock(\(key))").bool(0, 0)
  }

  /// Who holds a key. The run's own work is done by another session, which carries the holder's
  /// process number in its name.
  private func holder(_ key: String) throws -> LockHolder? {
    let result = try connection.query(
      """
      SELECT l.pid, a.usename, a.application_name, a.client_addr,
        pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() - a.backend_start)::bigint,
        COALESCE(
          (SELECT w.query FROM pg_catalog.pg_stat_activity w
           WHERE w.application_name = 'pgkeep migrate work for ' || l.pid LIMIT 1),
          a.query)
      FROM pg_catalog.pg_locks l LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
      WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
        AND l.database =
          (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
        AND l.classid::bigint << 32 | l.objid::bigint = \(key)
        AND l.pid <> pg_catalog.pg_backend_pid()
      LIMIT 1
      """)
    guard result.rowCount == 1, let processID = result.int(0, 0) else { return nil }
    return LockHolder(
      processID: processID, role: result.string(0, 1), applicationName: result.string(0, 2),
      clientAddress: result.isNull(0, 3) ? nil : result.string(0, 3),
      seconds: result.int(0, 4) ?? 0,
      query: result.isNull(0, 5) ? nil : LockHolder.shortened(result.string(0, 5)))
  }
}
