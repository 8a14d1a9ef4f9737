import ByteStream
import Glibc
import Logging
import ObjectStore

/// Tells Sentry and the heartbeat how a run ended. What fails here is a warning in the log: it
/// does not make a good run a bad one, nor hide why a bad one failed.
struct AlertSender {
  /// The most that one alert may take; a run that is over should not hang on it.
  private static let seconds = 10.0

  let run: Run
  let service: String

  /// - Parameter failure: nil when the run succeeded.
  func send(_ alerts: Alerts, failure: ErrorReport?) {
    let environment = run.configuration.environment
    // Whoever pressed Ctrl-C knows.
    if let failure, alerts != .none, failure.status != .interrupted,
      let dsn = environment["SENTRY_DSN"]
    {
      sendToSentry(dsn, failure)
    }
    if alerts == .heartbeat, let url = environment["HEARTBEAT_URL"] {
      sendHeartbeat(url, failure)
    }
  }

  private func sendToSentry(_ dsn: String, _ failure: ErrorReport) {
    guard let destination = SentryEvent.Destination(dsn: dsn) else {
      run.logger.warning("SENTRY_DSN is not of the form https://KEY@HOST/PROJECT: nothing sent")
      return
    }
    let event = SentryEvent(
      id: run.requestID, time: .now(), command: run.command, service: service,
      environment: run.environmentName, host: Self.hostName(), report: failure,
      facts: run.notedFacts)
    tell(
      "Sentry", "POST", destination.url, SentryEvent.headers(destination),
      body: event.envelope(run.console.redactor))
  }

  private func sendHeartbeat(_ url: String, _ failure: ErrorReport?) {
    guard let failure else { return tell("The heartbeat", "GET", url, [], body: nil) }
    let headers = [("Content-Type", "text/plain; charset=utf-8")]
    tell(
      "The heartbeat", "POST", Self.failureURL(url), headers,
      body: run.console.redactor.redact("\(failure)"))
  }

  /// The URL with `/fail` after its path, as healthchecks.io and its like have it.
  static func failureURL(_ url: String) -> String {
    let path = url.prefix { $0 != "?" && $0 != "#" }
    return path + (path.hasSuffix("/") ? "fail" : "/fail") + url.dropFirst(path.count)
  }

  private func tell(
    _ what: String, _ method: String, _ url: String, _ headers: [(String, String)], body: String?
  ) {
    let body = body.map { Array($0.utf8) }
    do {
      let status = try HTTPClient().send(
        method, url, headers: headers, body: body, timeout: Self.seconds,
        cancellation: Cancellation())
      guard !(200..<300).contains(status) else { return }
      run.logger.warning("\(what) answered with HTTP status \(status)")
    } catch {
      run.logger.warning("\(what) could not be told: \(error)")
    }
  }

  private static func hostName() -> String {
    var name = [CChar](repeating: 0, count: 256)
    guard gethostname(&name, name.count - 1) == 0 else { return "" }
    return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
