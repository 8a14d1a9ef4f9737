import Glibc
import ObjectStore

/// The outcome of a run as a file for node_exporter's textfile collector (`METRICS_DIRECTORY`).
///
/// One file for each command, environment and database, replaced by rename, so that a collector
/// never reads half of it. The time of the last success outlives failures.
struct MetricsFile {
  var command: String
  var environment: String
  /// The facts that the run noted; numbers become gauges, and `database` a label.
  var facts: [JSONValue.Member]
  var succeeded: Bool
  var duration: Duration
  var time: UTCTime

  /// - Throws: ``ErrorReport`` when the file cannot be written.
  func write(inDirectory directory: String) throws {
    let path = "\(directory)/\(name)"
    let lastSuccess =
      succeeded ? time : Self.read(path).flatMap { Self.lastSuccess(in: $0) }
    let text = Self.text(self, lastSuccess: lastSuccess)
    let temporary = "\(path).\(getpid()).tmp"
    func failure() -> ErrorReport {
      let reason = String(cString: strerror(errno))
      unlink(temporary)
      return ErrorReport(
        .failed, code: "metrics",
        "The metrics file \(path) could not be written: \(reason). Check METRICS_DIRECTORY.")
    }
    guard let file = fopen(temporary, "we") else { throw failure() }
    let written = fputs(text, file)
    guard fclose(file) == 0, written >= 0, rename(temporary, path) == 0 else { throw failure() }
  }

  /// `pgkeep_backup_run_production_shop.prom`
  var name: String {
    let words = ["pgkeep", command, environment] + (database.map { [$0] } ?? [])
    let plain = words.joined(separator: "_").unicodeScalars.map { scalar -> Character in
      let isPlain =
        scalar.isASCII && scalar.properties.isAlphabetic
        || ("0"..."9").contains(scalar) || "._-".unicodeScalars.contains(scalar)
      return isPlain ? Character(scalar) : "_"
    }
    return String(plain) + ".prom"
  }

  private var database: String? {
    guard case .string(let name)? = facts.first(where: { $0.name == "database" })?.value else {
      return nil
    }
    return name
  }

  /// Prometheus' text format, version 0.0.4.
  static func text(_ it: MetricsFile, lastSuccess: UTCTime?) -> String {
    var labels = "command=\(quoted(it.command)),environment=\(quoted(it.environment))"
    if let database = it.database { labels += ",database=\(quoted(database))" }
    var text = ""
    func gauge(_ name: String, _ help: String, _ value: String) {
      text += "# HELP pgkeep_\(name) \(help)\n# TYPE pgkeep_\(name) gauge\n"
      text += "pgkeep_\(name){\(labels)} \(value)\n"
    }
    gauge("success", "Whether the last run succeeded.", it.succeeded ? "1" : "0")
    gauge("last_run_time_seconds", "When the last run ended.", seconds(it.time))
    if let lastSuccess {
      gauge(lastSuccessName, "When a run last succeeded.", seconds(lastSuccess))
    }
    let took = it.duration / .seconds(1)
    gauge("duration_seconds", "How long the last run took.", "\(took)")
    for fact in it.facts {
      let name = fact.name.replacing("-", with: "_")
      switch fact.value {
      case .integer(let number): gauge(name, "Of the last run.", String(number))
      case .number(let number): gauge(name, "Of the last run.", "\(number)")
      default: break
      }
    }
    return text
  }

  private static let lastSuccessName = "last_success_time_seconds"

  /// The time of the last success that a file's text holds.
  static func lastSuccess(in text: String) -> UTCTime? {
    for line in text.split(separator: "\n") where line.hasPrefix("pgkeep_\(lastSuccessName){") {
      guard let value = line.split(separator: " ").last.flatMap({ Int64($0) }) else { continue }
      return UTCTime(seconds: value)
    }
    return nil
  }

  private static func seconds(_ time: UTCTime) -> String { String(time.milliseconds / 1000) }

  private static func quoted(_ value: String) -> String {
    "\""
      + value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
      .replacing("\n", with: "\\n") + "\""
  }

  private static func read(_ path: String) -> String? {
    guard let file = fopen(path, "re") else { return nil }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: 1 << 16)
    let count = fread(&bytes, 1, bytes.count, file)
    return String(decoding: bytes[..<count], as: UTF8.self)
  }
}
