import Logging
import Migrations
import Postgres
import ToolSupport

/// Shows what happens while migrations run: to people line by line, to machines as log records.
enum EventPrinter {
  static func show(_ event: MigrationEvent, _ run: Run) {
    switch event {
    case .waitingForLock(let holder):
      run.logger.notice(
        "waiting for another run to end: \(holder)",
        metadata: ["process_id": "\(holder.processID)"])
    case .locked: run.logger.debug("the migration lock is ours")
    case .starting(let step): run.logger.debug("\(step.direction.rawValue) \(step.title)")
    case .statementDone(let step, let ordinal, let total):
      run.logger.debug("\(step.title): statement \(ordinal) of \(total) done")
    case .finished(let finished):
      run.console.showProgress("")
      run.say("\(finished.line)\n")
      run.logger.debug(
        "\(finished.step.direction.rawValue) \(finished.step.title) done",
        metadata: ["duration_ms": "\(finished.duration.milliseconds)"])
    case .blocked(let step, let blocked): run.logger.notice("\(step.title) is \(blocked)")
    case .retrying(let step, let pause, let blocked):
      let reason = blocked.map { ": it was \($0)" } ?? ""
      run.logger.notice(
        "\(step.title) is tried again in \(pause.milliseconds) ms\(reason)",
        metadata: ["pause_ms": "\(pause.milliseconds)"])
    case .progress(let step, let progress):
      let share = progress.percent.map { " \($0) %" } ?? ""
      run.console.showProgress("\(step.title)  \(progress.phase)\(share)")
    case .warning(let text): run.logger.warning("\(text)")
    case .notice(let message):
      run.logger.info(
        "\(message.severity): \(message.message)", metadata: ["sqlstate": "\(message.sqlState)"])
    }
  }
}

extension FinishedStep {
  /// `up    20261122093000_orders  12 ms`
  var line: String {
    let direction = step.direction == .up ? "up  " : "down"
    return "\(direction)  \(step.title)  \(duration.milliseconds) ms"
  }
}

extension Duration {
  var milliseconds: Int { Int(self / .milliseconds(1)) }
}
