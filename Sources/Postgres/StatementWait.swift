import ByteStream

/// The state of waiting for one statement: how long it may take, and whether we have given up.
struct StatementWait {
  /// How long the server gets to end a statement that we cancelled.
  static let grace: Duration = .seconds(5)

  /// When the statement has to be done.
  let deadline: ContinuousClock.Instant?
  /// Why the statement was cancelled, once it was.
  var interruption: PostgresError?
  /// When the connection is given up, once the statement was cancelled.
  var giveUp: ContinuousClock.Instant?

  init(timeout: Duration?) { deadline = timeout.map { .now + $0 } }

  /// Why the statement should be cancelled now, if it should.
  func reasonToStop(_ cancellation: Cancellation) -> PostgresError? {
    if let reason = cancellation.reason {
      return PostgresError(.cancelled, "Stopped: \(reason).")
    }
    if let deadline, ContinuousClock.now >= deadline {
      return PostgresError(.timedOut, "The server did not finish the statement in time.")
    }
    return nil
  }
}
