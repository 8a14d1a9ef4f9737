import ByteStream
import Glibc
import Postgres
import Synchronization

/// Somebody who waits for an export to end: a migration that builds an index concurrently, or wants
/// a lock that readers keep it from.
public struct WaitingSession: Hashable, Sendable, CustomStringConvertible {
  public var processID: Int
  public var applicationName: String
  /// The statement, on one line of at most 120 characters.
  public var query: String

  public var description: String {
    let who = applicationName.isEmpty ? "process \(processID)" : "\(applicationName)"
    return "\(who) waits for this backup to end: \(query)"
  }
}

/// Looks, from a connection of its own, who waits for the export's sessions.
///
/// `CREATE INDEX CONCURRENTLY` on any table waits for the export's snapshot, so a deploy can hang
/// for as long as a backup takes; each side is to say so.
final class WaitingSessions: Sendable {
  private static let interval: Duration = .seconds(2)

  private let target: ConnectionTarget
  private let processes: [Int]
  private let tell: @Sendable (WaitingSession) -> Void
  private let isOver = Mutex(false)

  /// Begins to look.
  ///
  /// - Parameter processes: server processes of the export.
  init(
    _ target: ConnectionTarget, for processes: [Int],
    _ tell: @escaping @Sendable (WaitingSession) -> Void
  ) {
    self.target = target
    self.processes = processes
    self.tell = tell
    JobThread.start("waiting") { self.look() }
  }

  /// Ends it; its thread is gone a moment later.
  func close() { isOver.withLock { $0 = true } }

  private func look() {
    var told: Set<Int> = []
    var connection: Connection?
    while true {
      let end = ContinuousClock.now + Self.interval
      while ContinuousClock.now < end {
        if isOver.withLock({ $0 }) { return }
        usleep(50_000)
      }
      do {
        let open =
          try connection
          ?? Connection(
            target, ConnectionOptions(applicationName: "pgkeep backup watch"),
            cancellation: Cancellation())
        connection = open
        for session in try find(open) where told.insert(session.processID).inserted {
          tell(session)
        }
      } catch {
        // A service to people; the backup goes on without it.
        return
      }
    }
  }

  private func find(_ connection: Connection) throws -> [WaitingSession] {
    let numbers = processes.map { "\($0)" }.joined(separator: ",")
    let result = try connection.query(
      """
      SELECT pid, application_name, query FROM pg_catalog.pg_stat_activity
      WHERE wait_event_type = 'Lock'
        AND pg_catalog.pg_blocking_pids(pid) && '{\(SQLText(numbers))}'::integer[]
      ORDER BY pid LIMIT 20
      """, timeout: .seconds(10))
    return (0..<result.rowCount).map { row in
      let line = result.string(row, 2).split(whereSeparator: \.isWhitespace).joined(separator: " ")
      return WaitingSession(
        processID: result.int(row, 0) ?? 0, applicationName: result.string(row, 1),
        query: line.count > 120 ? line.prefix(119) + "…" : line)
    }
  }
}
