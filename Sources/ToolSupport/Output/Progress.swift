import ByteStream
import Glibc
import Logging
import Synchronization

/// Shows how far a run has come: a line that is redrawn on a terminal, and elsewhere a log record
/// every half minute.
public final class Progress: Sendable {
  private struct State {
    var now: ProgressState
    var ended = false
    /// Moments and bytes of the last seconds, for the rate.
    var samples: [(at: ContinuousClock.Instant, bytes: Int)] = []
  }

  private static let logEvery: Duration = .seconds(30)
  private static let rateOver: Duration = .seconds(5)

  private let run: Run
  private let started = ContinuousClock.now
  private let state: Mutex<State>

  init(_ run: Run, _ initial: ProgressState) {
    self.run = run
    state = Mutex(State(now: initial))
    guard !run.isQuiet else { return }
    JobThread.start("progress") { [weak self] in
      var nextLog = ContinuousClock.now + Self.logEvery
      while true {
        usleep(250_000)
        guard let self, self.tick(&nextLog) else { return }
      }
    }
  }

  /// Tells how far the work is. Cheap: may be called for every block.
  public func update(_ body: (inout ProgressState) -> Void) {
    state.withLock { body(&$0.now) }
  }

  /// Takes the line away.
  func end() {
    state.withLock { $0.ended = true }
    run.console.showProgress("")
  }

  /// - Returns: false when it is over.
  private func tick(_ nextLog: inout ContinuousClock.Instant) -> Bool {
    let now = ContinuousClock.now
    let shown: (state: ProgressState, rate: Double?)? = state.withLock { state in
      guard !state.ended else { return nil }
      state.samples.append((now, state.now.bytes))
      state.samples.removeAll { now - $0.at > Self.rateOver }
      guard let first = state.samples.first, now > first.at else { return (state.now, nil) }
      let seconds = (now - first.at) / .seconds(1)
      return (state.now, max(0, Double(state.now.bytes - first.bytes) / seconds))
    }
    guard let shown else { return false }
    if run.console.isTerminal, run.logFormat == .text {
      run.console.showProgress(shown.state.line(rate: shown.rate, elapsed: now - started))
    } else if now >= nextLog {
      nextLog = now + Self.logEvery
      log(shown.state, rate: shown.rate, elapsed: now - started)
    }
    return true
  }

  private func log(_ state: ProgressState, rate: Double?, elapsed: Duration) {
    var metadata: Logger.Metadata = [
      "bytes": .stringConvertible(state.bytes),
      "\(state.noun)": .stringConvertible(state.items),
      "duration_ms": .stringConvertible(Int(elapsed / .milliseconds(1))),
    ]
    if let total = state.totalBytes { metadata["total_bytes"] = .stringConvertible(total) }
    if let total = state.totalItems {
      metadata["total_\(state.noun)"] = .stringConvertible(total)
    }
    if let rate { metadata["bytes_per_second"] = .stringConvertible(Int(rate)) }
    run.logger.info("\(state.stage)", metadata: metadata)
  }
}

extension Run {
  /// Runs `body` while its progress is shown.
  public func withProgress<Result>(
    _ initial: ProgressState, _ body: (Progress) throws -> Result
  ) rethrows -> Result {
    let progress = Progress(self, initial)
    defer { progress.end() }
    return try body(progress)
  }
}
