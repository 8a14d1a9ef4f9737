import ByteStream
import Glibc
import Postgres
import Synchronization

/// Looks at the session that does the work, from another one, while a statement takes long: who
/// blocks it, who waits behind it, and how far it is.
///
/// A statement that waits for a strong lock makes everybody else wait who comes after it. When
/// too many do, this cancels it, so that they can pass; the runner then tries again later.
final class StatementWatch: Sendable {
  private struct State {
    /// The statement that runs, and since when.
    var current: (step: PlannedStep, since: ContinuousClock.Instant)?
    var mayGiveWay = false
    var isClosed = false
    var hasSession = false
    var hasEnded = true
    var blocked: BlockedStatement?
    var gaveWay = false
  }

  /// Nothing is looked at before a statement has taken this long.
  private static let patience: Duration = .milliseconds(400)

  private let target: ConnectionTarget
  private let processID: Int
  private let options: MigratorOptions
  private let emit: @Sendable (MigrationEvent) -> Void
  private let state = Mutex(State())

  /// - Parameter processID: the server process to look at.
  init(
    _ target: ConnectionTarget, processID: Int, _ options: MigratorOptions,
    _ emit: @escaping @Sendable (MigrationEvent) -> Void
  ) {
    self.target = target
    self.processID = processID
    self.options = options
    self.emit = emit
  }

  /// What blocked the last statement that was blocked.
  var lastBlocked: BlockedStatement? { state.withLock { $0.blocked } }
  /// Whether the last statement was cancelled for those who waited behind it.
  var gaveWay: Bool { state.withLock { $0.gaveWay } }

  /// Runs one statement under watch.
  func during<Result>(
    _ step: PlannedStep, mayGiveWay: Bool, _ body: () throws -> Result
  ) rethrows -> Result {
    let isFirst = state.withLock { state -> Bool in
      state.current = (step, .now)
      state.mayGiveWay = mayGiveWay
      state.blocked = nil
      state.gaveWay = false
      defer { state.hasEnded = false }
      return state.hasEnded
    }
    if isFirst { JobThread.start("migrate watch") { self.look() } }
    defer { state.withLock { $0.current = nil } }
    return try body()
  }

  /// Ends the watch and its session.
  func close() {
    let hasSession = state.withLock { state -> Bool in
      state.isClosed = true
      return state.hasSession
    }
    guard hasSession else { return }
    for _ in 0..<200 where !state.withLock({ $0.hasEnded }) { usleep(10_000) }
  }

  private func look() {
    defer { state.withLock { $0.hasEnded = true } }
    var connection: Connection?
    var told: BlockedStatement?
    while true {
      let (isClosed, current) = state.withLock { ($0.isClosed, $0.current) }
      guard !isClosed else { return }
      guard let current, ContinuousClock.now - current.since > Self.patience else {
        usleep(50_000)
        continue
      }
      do {
        if connection == nil {
          state.withLock { $0.hasSession = true }
          connection = try open()
        }
        guard let connection else { return }
        let blocked = try blocked(connection)
        if let blocked {
          state.withLock { $0.blocked = blocked }
          if blocked != told { emit(.blocked(current.step, blocked)) }
          try giveWay(blocked, connection)
        } else if let progress = try progress(connection) ?? work(connection) {
          emit(.progress(current.step, progress))
        }
        told = blocked
      } catch {
        // Watching is a service to people; the work goes on without it.
        emit(.warning("Long statements cannot be watched: \(error)"))
        return
      }
      usleep(250_000)
    }
  }

  private func open() throws -> Connection {
    var profile = SessionProfile.statements
    profile.settings += [("search_path", ""), ("statement_timeout", "5000")]
    return try Connection(
      target, ConnectionOptions(applicationName: "pgkeep migrate watch", profile: profile),
      cancellation: Cancellation())
  }

  private func blocked(_ connection: Connection) throws -> BlockedStatement? {
    let result = try connection.query(
      """
      SELECT b.pid, b.usename, b.application_name, b.client_addr,
        pg_catalog.date_part(
          'epoch', pg_catalog.clock_timestamp() - COALESCE(b.xact_start, b.backend_start))::bigint,
        b.query, b.state,
        (SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_activity o
         WHERE o.wait_event_type = 'Lock' AND w.pid = ANY (pg_catalog.pg_blocking_pids(o.pid)))
      FROM pg_catalog.pg_stat_activity w
      CROSS JOIN LATERAL pg_catalog.unnest(pg_catalog.pg_blocking_pids(w.pid)) blocking (pid)
      JOIN pg_catalog.pg_stat_activity b ON b.pid = blocking.pid
      WHERE w.pid = \(processID) AND w.wait_event_type = 'Lock'
      ORDER BY b.xact_start LIMIT 5
      """)
    guard result.rowCount > 0 else { return nil }
    return BlockedStatement(
      blockers: (0..<result.rowCount).map { row in
        LockHolder(
          processID: result.int(row, 0) ?? 0, role: result.string(row, 1),
          applicationName: result.string(row, 2),
          clientAddress: result.isNull(row, 3) ? nil : result.string(row, 3),
          seconds: result.int(row, 4) ?? 0, query: LockHolder.shortened(result.string(row, 5)))
      }, waitingBehind: result.int(0, 7) ?? 0)
  }

  private func giveWay(_ blocked: BlockedStatement, _ connection: Connection) throws {
    guard blocked.waitingBehind >= options.giveWayTo else { return }
    let isWanted = state.withLock { state -> Bool in
      guard state.mayGiveWay, state.current != nil, !state.gaveWay else { return false }
      state.gaveWay = true
      return true
    }
    guard isWanted else { return }
    try connection.run("SELECT pg_catalog.pg_cancel_backend(\(processID))")
  }

  /// For what has no progress view (VALIDATE, a rewriting ALTER TABLE): what the statement is at
  /// work on, and for how long.
  private func work(_ connection: Connection) throws -> StatementProgress? {
    let result = try connection.query(
      """
      SELECT a.query, pg_catalog.date_part(
          'epoch', pg_catalog.clock_timestamp() - a.query_start)::bigint,
        t.name, pg_catalog.pg_size_pretty(t.size)
      FROM pg_catalog.pg_stat_activity a
      LEFT JOIN LATERAL (
        SELECT n.nspname || '.' || c.relname AS name, pg_catalog.pg_table_size(c.oid) AS size
        FROM pg_catalog.pg_locks l
        JOIN pg_catalog.pg_class c ON c.oid = l.relation AND c.relkind IN ('r', 'm', 'p')
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE l.pid = a.pid AND l.locktype = 'relation' AND l.granted
          AND n.nspname !~ '^(pg_|information_schema$|pgkeep$)'
        ORDER BY 2 DESC NULLS LAST LIMIT 1) t ON true
      WHERE a.pid = \(processID) AND a.state = 'active'
      """)
    guard result.rowCount == 1 else { return nil }
    let table = result.isNull(0, 2) ? "" : " on \(result.string(0, 2)) (\(result.string(0, 3)))"
    let query =
      LockHolder.shortened(result.string(0, 0))
      .split(separator: ";", omittingEmptySubsequences: true).first.map(String.init) ?? ""
    let short = query.count > 60 ? query.prefix(59) + "…" : query[...]
    return StatementProgress(
      phase: "\(short)\(table), since \(result.int(0, 1) ?? 0) s", percent: nil)
  }

  private func progress(_ connection: Connection) throws -> StatementProgress? {
    let result = try connection.query(
      """
      SELECT command || ': ' || phase,
        CASE WHEN blocks_total > 0 THEN 100 * blocks_done / blocks_total
             WHEN tuples_total > 0 THEN 100 * tuples_done / tuples_total END
      FROM pg_catalog.pg_stat_progress_create_index WHERE pid = \(processID)
      UNION ALL
      SELECT command || ': ' || phase,
        CASE WHEN heap_blks_total > 0 THEN 100 * heap_blks_scanned / heap_blks_total END
      FROM pg_catalog.pg_stat_progress_cluster WHERE pid = \(processID)
      UNION ALL
      SELECT 'VACUUM: ' || phase,
        CASE WHEN heap_blks_total > 0 THEN 100 * heap_blks_scanned / heap_blks_total END
      FROM pg_catalog.pg_stat_progress_vacuum WHERE pid = \(processID)
      UNION ALL
      SELECT 'ANALYZE: ' || phase,
        CASE WHEN sample_blks_total > 0
          THEN 100 * sample_blks_scanned / sample_blks_total END
      FROM pg_catalog.pg_stat_progress_analyze WHERE pid = \(processID)
      UNION ALL
      SELECT command, CASE WHEN bytes_total > 0 THEN 100 * bytes_processed / bytes_total END
      FROM pg_catalog.pg_stat_progress_copy WHERE pid = \(processID)
      LIMIT 1
      """)
    guard result.rowCount == 1 else { return nil }
    return StatementProgress(phase: result.string(0, 0), percent: result.int(0, 1))
  }
}
