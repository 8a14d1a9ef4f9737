import ByteStream
import CLibPQ
import Glibc

/// How long the server gets to end a statement that we cancelled.
private let cancelGrace: Duration = .seconds(5)

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
  /// When the run is cancelled or `deadline` passes, cancels the statement on the server and
  /// gives it a few seconds to say so.
  func waitForInput(deadline: ContinuousClock.Instant?, until isReady: () -> Bool) throws {
    var giveUp: (at: ContinuousClock.Instant, error: PostgresError)?
    while !isReady() {
      if giveUp == nil, let error = interruption(deadline) {
        giveUp = (.now + cancelGrace, error)
        cancelStatement()
      }
      if let giveUp, ContinuousClock.now > giveUp.at {
        close()
        throw giveUp.error
      }
      if try SocketWait.once(PQsocket(handle), Int16(POLLIN), cancellation: nil) {
        guard PQconsumeInput(handle) == 1 else { throw brokenError() }
      }
    }
    if let giveUp { throw Interrupted(error: giveUp.error) }
  }

  /// Thrown inside this module when a wait was interrupted and the server has answered since:
  /// the results still have to be read before the session can be used again.
  struct Interrupted: Error {
    let error: PostgresError
  }

  private func interruption(_ deadline: ContinuousClock.Instant?) -> PostgresError? {
    if let reason = cancellation.reason {
      return PostgresError(.cancelled, "Stopped: \(reason).")
    }
    if let deadline, ContinuousClock.now >= deadline {
      return PostgresError(.timedOut, "The server did not finish the statement in time.")
    }
    return nil
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
