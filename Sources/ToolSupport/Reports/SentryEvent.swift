import ObjectStore

/// A failed run as Sentry takes it: an envelope with one event.
///
/// Source: Sentry's developer documentation, "Envelopes" and "Event Payloads".
struct SentryEvent {
  /// Where `SENTRY_DSN` leads: `https://KEY@HOST/PROJECT`.
  struct Destination: Hashable {
    var url: String
    var key: String

    /// nil when the text is no DSN.
    init?(dsn: String) {
      guard let scheme = dsn.firstRange(of: "://") else { return nil }
      let rest = dsn[scheme.upperBound...]
      guard let at = rest.lastIndex(of: "@"), let slash = rest.lastIndex(of: "/"), at < slash
      else { return nil }
      // An old DSN has a secret after the key, which is not used any more.
      let key = rest[..<at].prefix { $0 != ":" }
      let host = rest[rest.index(after: at)..<slash]
      let project = rest[rest.index(after: slash)...].prefix { $0 != "?" }
      guard !key.isEmpty, !host.isEmpty, !project.isEmpty else { return nil }
      // A path before the project stays before `api`.
      url = "\(dsn[..<scheme.upperBound])\(host)/api/\(project)/envelope/"
      self.key = String(key)
    }
  }

  var id: String
  var time: UTCTime
  var command: String
  var service: String
  var environment: String
  var host: String
  var report: ErrorReport
  var facts: [JSONValue.Member]

  static func headers(_ destination: Destination) -> [(String, String)] {
    [
      ("Content-Type", "application/x-sentry-envelope"),
      (
        "X-Sentry-Auth",
        "Sentry sentry_version=7, sentry_client=pgkeep/\(ToolVersion.current), "
          + "sentry_key=\(destination.key)"
      ),
    ]
  }

  /// The lines of the envelope.
  ///
  /// - Parameter redactor: takes secrets out first, since the envelope gives the event's length.
  func envelope(_ redactor: Redactor) -> String {
    let event = redactor.redact(event.compact)
    let head: JSONValue = ["event_id": .string(id), "sent_at": .string(time.description)]
    let item: JSONValue = [
      "type": "event", "length": .integer(event.utf8.count), "content_type": "application/json",
    ]
    return "\(head.compact)\n\(item.compact)\n\(event)\n"
  }

  private var event: JSONValue {
    [
      "event_id": .string(id), "timestamp": .string(time.description), "platform": "other",
      "level": "error", "logger": .string(service), "server_name": .string(host),
      "release": .string("pgkeep@\(ToolVersion.current)"),
      "environment": .string(environment),
      "logentry": ["formatted": .string("\(command): \(report.message)")],
      // One issue for each command and kind of error, whatever the names in its message.
      "fingerprint": [.string("pgkeep"), .string(command), .string(report.code)],
      "tags": [
        "command": .string(command), "code": .string(report.code),
        "exit_status": .string(String(report.status.rawValue)),
      ],
      "extra": .object(facts + report.facts.map { .init($0.name, .string($0.value)) }),
    ]
  }
}
