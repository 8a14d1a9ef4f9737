import ByteStream
import CLibPQ
import Glibc

extension Connection {
  /// The error for a connection that libpq says is broken.
  func brokenError() -> PostgresError {
    let text = PQerrorMessage(handle).map { String(cString: $0) } ?? ""
    let line = target.redacted(text).split(separator: "\n").joined(separator: "; ")
    return PostgresError(.connectionLost, "The connection to \(target) broke: \(line)")
  }

  /// Sends what libpq still holds. Reads meanwhile, so that a server that is itself blocked on
  /// sending to us goes on.
  func flush() throws {
    while true {
      switch PQflush(handle) {
      case 0: return
      case 1:
        let events = Int16(POLLIN | POLLOUT)
        if try SocketWait.once(PQsocket(handle), events, cancellation: cancellation) {
          guard PQconsumeInput(handle) == 1 else { throw brokenError() }
        }
      default: throw brokenError()
      }
    }
  }

  /// Waits until `isReady`, which looks at what has arrived, is true.
  ///
  /// When the run is cancelled or the wait's deadline passes, cancels the statement on the server
  /// and gives it a few seconds to say so; `wait` then carries the error, and what the server
  /// still sends has to be read before the session can be used again.
  func waitForInput(_ wait: inout StatementWait, until isReady: () -> Bool) throws {
    while !isReady() {
      if wait.interruption == nil, let error = wait.reasonToStop(cancellation) {
        wait.interruption = error
        wait.giveUp = .now + StatementWait.grace
        cancelStatement()
      }
      if let error = wait.interruption, let giveUp = wait.giveUp, ContinuousClock.now > giveUp {
        close()
        throw error
      }
      if try SocketWait.once(PQsocket(handle), Int16(POLLIN), cancellation: nil) {
        guard PQconsumeInput(handle) == 1 else { throw brokenError() }
      }
    }
  }

  /// Asks the server to cancel what this session runs. `PQcancel` connects without a limit on
  /// its wait, so it gets a thread of its own.
  func cancelStatement() {
    guard let cancel = PQgetCancel(handle) else { return }
    let address = UInt(bitPattern: cancel)
    JobThread.start("pg-cancel") {
      let cancel = OpaquePointer(bitPattern: address)
      var message = [CChar](repeating: 0, count: 256)
      PQcancel(cancel, &message, Int32(message.count))
      PQfreeCancel(cancel)
    }
  }
}
