import ByteStream
import Logging
import ObjectStore

/// Runs a command: from its options to its exit status.
enum CommandRunner {
  static func run(
    _ command: some ToolCommand, environment: Environment = .process
  ) -> ExitStatus {
    let console = Console(redactor: Redactor())
    let cancellation = Cancellation()
    let run: Run
    do {
      run = try Run(
        command: type(of: command).fullName, service: type(of: command).service,
        options: command.output, isJSON: command.isJSON, environment: environment,
        console: console, cancellation: cancellation)
    } catch {
      // The settings of the logs themselves are wrong, so this goes out plainly.
      let report = ErrorTranslation.report(of: error, stopped: nil)
      console.line("\(report)")
      return report.status
    }
    let signals = Signals(cancelling: cancellation) { stop in
      run.logger.warning("\(stop.name): stopping; once more leaves at once")
    }
    let started = ContinuousClock.now
    var failure: ErrorReport?
    do {
      try command.run(run)
      if let reason = console.outputFailure {
        failure = ErrorReport(
          .failed, code: "output", "The result could not be written: \(reason).")
      }
    } catch {
      failure = ErrorTranslation.report(of: error, stopped: signals.stop)
    }
    console.showProgress("")
    let duration = ContinuousClock.now - started
    let alerts = type(of: command).alerts
    conclude(run, failure, took: duration, alerts: alerts)
    if alerts != .none { writeMetrics(run, succeeded: failure == nil, took: duration) }
    AlertSender(run: run, service: type(of: command).service).send(alerts, failure: failure)
    return failure?.status ?? .done
  }

  private static func conclude(
    _ run: Run, _ failure: ErrorReport?, took duration: Duration, alerts: Alerts
  ) {
    let milliseconds = Int(duration / .milliseconds(1))
    if let failure {
      if run.isJSON { run.printJSON(failure.json) }
      switch run.logFormat {
      case .text: run.console.line("\(failure)")
      case .json:
        var metadata: Logger.Metadata = [
          "command": "\(run.command)", "code": "\(failure.code)",
          "exit_status": .stringConvertible(Int(failure.status.rawValue)),
          "duration_ms": .stringConvertible(milliseconds),
        ]
        for fact in failure.facts { metadata[fact.name] = "\(fact.value)" }
        run.logger.error("\(failure.message)", metadata: metadata)
      }
    } else if alerts != .none, run.logFormat == .json {
      var metadata: Logger.Metadata = [
        "command": "\(run.command)", "duration_ms": .stringConvertible(milliseconds),
      ]
      for fact in run.notedFacts { metadata[fact.name] = fact.value.logged }
      run.logger.info("\(run.command) done", metadata: metadata)
    }
  }
}

extension CommandRunner {
  /// That the metrics could not be written does not make a good run a bad one.
  private static func writeMetrics(_ run: Run, succeeded: Bool, took duration: Duration) {
    guard let directory = run.configuration.environment["METRICS_DIRECTORY"] else { return }
    let file = MetricsFile(
      command: run.command, environment: run.environmentName, facts: run.notedFacts,
      succeeded: succeeded, duration: duration, time: .now())
    do { try file.write(inDirectory: directory) } catch {
      run.logger.warning("\(ErrorTranslation.report(of: error, stopped: nil).message)")
    }
  }
}

extension JSONValue {
  /// The same value as swift-log's metadata.
  var logged: Logger.MetadataValue {
    switch self {
    case .null: "null"
    case .bool(let value): .stringConvertible(value)
    case .integer(let value): .stringConvertible(value)
    case .number(let value): .stringConvertible(value)
    case .string(let value): .string(value)
    case .array(let values): .array(values.map(\.logged))
    case .object(let members):
      .dictionary(Dictionary(members.map { ($0.name, $0.value.logged) }) { $1 })
    }
  }
}
