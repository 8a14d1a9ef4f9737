import ByteStream
import CLibPQ
import Glibc

/// Where the reading of a replication stream stands.
enum CopyEvent {
  case message
  case nothingYet
  case end
}

extension Connection {
  /// Gives one CopyData message to `body`, if one arrives within `timeout`.
  ///
  /// - Throws: ``PostgresError``; `cancelled` when the run is stopped.
  func copyMessage(
    timeout: Duration, _ body: (UnsafeRawBufferPointer) throws -> Void
  ) throws -> CopyEvent {
    let deadline = ContinuousClock.now + timeout
    while true {
      if let reason = cancellation.reason {
        throw PostgresError(.cancelled, "Stopped: \(reason).")
      }
      var message: UnsafeMutablePointer<CChar>?
      let length = PQgetCopyData(handle, &message, 1)
      if length > 0 {
        defer { PQfreemem(message) }
        try body(UnsafeRawBufferPointer(start: message, count: Int(length)))
        return .message
      }
      if length == -1 { return .end }
      if length < -1 { throw brokenError() }
      let left = deadline - ContinuousClock.now
      guard left > .zero else { return .nothingYet }
      // Messages that are waiting to go out must go, or both sides may wait for each other.
      var events = Int16(POLLIN)
      switch PQflush(handle) {
      case 0: break
      case 1: events |= Int16(POLLOUT)
      default: throw brokenError()
      }
      var descriptor = pollfd(fd: PQsocket(handle), events: events, revents: 0)
      let milliseconds = min(Int64(SocketWait.slice), left.wholeMilliseconds + 1)
      if poll(&descriptor, 1, Int32(milliseconds)) > 0 {
        guard PQconsumeInput(handle) == 1 else { throw brokenError() }
      }
    }
  }

  /// Takes the next result of a command with several, whatever its kind; nil at the end.
  func nextReplicationResult(_ expected: [ExecStatusType]) throws -> (ExecStatusType, QueryResult)?
  {
    var wait = StatementWait(timeout: nil)
    let raw = try nextResult(&wait)
    if let interruption = wait.interruption {
      PQclear(raw)
      close()
      throw interruption
    }
    guard let raw else { return nil }
    let status = PQresultStatus(raw)
    if expected.contains(status) { return (status, QueryResult(raw)) }
    let failure =
      status == PGRES_FATAL_ERROR
      ? error(raw) : ReplicationConnection.unexpected("a replication command")
    PQclear(raw)
    if status == PGRES_FATAL_ERROR { _ = try? results(.seconds(5)) } else { close() }
    throw failure
  }
}

extension Duration {
  /// Whole milliseconds, rounded down.
  var wholeMilliseconds: Int64 {
    components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000
  }
}
