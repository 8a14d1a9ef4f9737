import Logging
import ObjectStore

/// Writes swift-log's records to standard error as text or JSON.
///
/// A JSON line has exactly the fields timestamp, level, service, environment, version,
/// request_id, message, duration_ms and metadata. `duration_ms` is how long that took which the
/// record tells of, from the metadata of that name, and null elsewhere.
struct ConsoleLogHandler: LogHandler {
  /// What is the same in all records of a run.
  struct Origin: Sendable {
    var service: String
    var environment: String
    var requestID: String
  }

  let console: Console
  let format: LogFormat
  let origin: Origin
  var logLevel: Logger.Level
  var metadata: Logger.Metadata = [:]

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    let all = metadata.merging(event.metadata ?? [:]) { $1 }
    console.line(
      Self.line(
        event.level, "\(event.message)", all, at: .now(), format: format, origin: origin))
  }

  /// One record's line, without its newline.
  static func line(
    _ level: Logger.Level, _ message: String, _ metadata: Logger.Metadata, at time: UTCTime,
    format: LogFormat, origin: Origin
  ) -> String {
    let rest = metadata.filter { $0.key != "duration_ms" }.sorted { $0.key < $1.key }
    switch format {
    case .json:
      let duration = metadata["duration_ms"].flatMap { Double("\($0)") }
      let record: JSONValue = [
        "timestamp": .string(time.description),
        "level": .string(level.rawValue),
        "service": .string(origin.service),
        "environment": .string(origin.environment),
        "version": .string(ToolVersion.current),
        "request_id": .string(origin.requestID),
        "message": .string(message),
        "duration_ms": duration.map { .integer(Int($0)) } ?? .null,
        "metadata": .object(rest.map { .init($0.key, json($0.value)) }),
      ]
      return record.compact
    case .text:
      var text = level >= .warning ? "\(level.rawValue): \(message)" : message
      for (key, value) in rest { text += " \(key)=\(value)" }
      if let duration = metadata["duration_ms"].flatMap({ Int("\($0)") }) {
        text += " (\(Humane.duration(.milliseconds(duration))))"
      }
      return text
    }
  }

  /// Numbers stay numbers, so that collectors can reckon with them.
  private static func json(_ value: Logger.MetadataValue) -> JSONValue {
    switch value {
    case .string(let text): return .string(text)
    case .stringConvertible(let value):
      switch value {
      case let number as Int: return .integer(number)
      case let number as Double: return .number(number)
      case let flag as Bool: return .bool(flag)
      default: return .string("\(value)")
      }
    case .array(let values): return .array(values.map(json))
    case .dictionary(let members):
      return .object(members.sorted { $0.key < $1.key }.map { .init($0.key, json($0.value)) })
    }
  }
}
