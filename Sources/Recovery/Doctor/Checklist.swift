import ByteStream
import Glibc
import Synchronization

/// The findings so far. Each check runs within a time limit, and one that fails does not keep the
/// others from being made. Used on one thread.
final class Checklist {
  /// What a check says.
  struct Verdict: Sendable {
    var level: Finding.Level
    var message: String
    var advice = ""

    static func ok(_ message: String) -> Verdict { Verdict(level: .ok, message: message) }
    static func warning(_ message: String, _ advice: String) -> Verdict {
      Verdict(level: .warning, message: message, advice: advice)
    }
    static func failure(_ message: String, _ advice: String) -> Verdict {
      Verdict(level: .failure, message: message, advice: advice)
    }
  }

  /// No answer in time.
  struct TimedOut: Error, CustomStringConvertible {
    var limit: Duration
    var description: String { "There was no answer within \(Wording.duration(limit))." }
  }

  let limit: Duration
  let cancellation: Cancellation
  private let only: [String]
  private(set) var findings: [Finding] = []

  /// - Parameter only: names or areas to look at; empty for all.
  init(only: [String], limit: Duration, cancellation: Cancellation) {
    self.only = only
    self.limit = limit
    self.cancellation = cancellation
  }

  func wants(_ name: String) -> Bool {
    only.isEmpty || only.contains { name == $0 || name.hasPrefix($0 + ".") }
  }

  /// Whether any of an area is to be looked at.
  func wantsArea(_ area: String) -> Bool {
    only.isEmpty || only.contains { $0 == area || $0.hasPrefix(area + ".") }
  }

  func add(_ name: String, _ verdict: Verdict) {
    guard wants(name) else { return }
    findings.append(
      Finding(name, verdict.level, Wording.sentence(verdict.message), advice: verdict.advice))
  }

  /// Makes one check on this thread; `body` has to bound its own waits. What it throws is a
  /// failure with that advice. Several names need the same check where the second tells of what
  /// the first did.
  func check(_ name: String, advice: String, _ body: () throws -> Verdict) throws {
    guard wants(name) else { return }
    try cancellation.check()
    do { add(name, try body()) } catch {
      try cancellation.check()
      add(name, .failure("\(error)", advice))
    }
  }

  /// Does something that may block for ever, such as a look at a dead network disk, on a thread of
  /// its own, which is left behind when the time is over.
  func bounded<Result: Sendable>(
    _ body: @escaping @Sendable () throws -> Result
  ) throws -> Result {
    let outcome = Outcome<Result>()
    JobThread.start("doctor") {
      let result = Swift.Result { try body() }
      outcome.value.withLock { $0 = result }
    }
    let deadline = ContinuousClock.now + limit
    var pause: useconds_t = 200
    while true {
      if let result = outcome.value.withLock({ $0 }) { return try result.get() }
      try cancellation.check()
      guard ContinuousClock.now < deadline else { throw TimedOut(limit: limit) }
      usleep(pause)
      pause = min(pause * 2, 20_000)
    }
  }

  private final class Outcome<Result: Sendable>: Sendable {
    let value = Mutex<Swift.Result<Result, any Error>?>(nil)
  }
}
