import ByteStream
import Glibc
import Postgres

/// Tries again when a lock was not to be had, with longer and longer pauses, for a bounded time.
struct LockRetry {
  private let session: MigrationSession
  private let step: PlannedStep
  private let deadline: ContinuousClock.Instant
  private var pause: Duration = .milliseconds(500)

  init(_ session: MigrationSession, _ step: PlannedStep) {
    self.session = session
    self.step = step
    deadline = .now + session.options.lockRetry
  }

  /// Whether `error` means that somebody else's lock was in the way.
  func isMissed(_ error: PostgresError?) -> Bool {
    switch error?.sqlState {
    case .lockNotAvailable, .deadlockDetected: true
    case .queryCanceled: session.watch.gaveWay
    default: false
    }
  }

  /// Pauses before the next try.
  ///
  /// - Throws: ``MigrationsError/Code/lockNotObtained`` when the time is up: there is no last try
  ///   without a limit.
  mutating func pauseOrGiveUp(_ cause: PostgresError) throws {
    let reason =
      session.watch.lastBlocked.map { "It was \($0)." } ?? cause.server?.message ?? ""
    guard ContinuousClock.now + pause < deadline else {
      throw MigrationsError(
        .lockNotObtained,
        "\(step.title) did not get a lock that it needs within "
          + "\(session.options.lockRetry.components.seconds) s (--lock-retry). \(reason)",
        cause: cause)
    }
    session.emit(.retrying(step, after: pause, session.watch.lastBlocked))
    let end = ContinuousClock.now + pause + pause * Double.random(in: 0...0.25)
    while ContinuousClock.now < end {
      if let stop = session.cancellation.reason {
        throw MigrationsError(.cancelled, "Stopped: \(stop).", cause: cause)
      }
      usleep(50_000)
    }
    pause = min(pause * 1.6, .seconds(15))
  }
}
