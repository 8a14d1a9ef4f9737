import Glibc
import Postgres

/// Takes one step of a plan.
protocol StepRunner {
  init(_ session: MigrationSession)
  /// - Throws: ``MigrationsError``, without what the run had done before.
  func run(_ step: PlannedStep, _ statements: [ScriptStatement]) throws -> FinishedStep
}

extension PlannedStep {
  /// The history's row for this step.
  func row(
    _ outcome: HistoryEntry.Outcome, statements: Int, toolVersion: String,
    duration: Duration? = nil, error: String? = nil, details: SQLText? = nil
  ) -> NewHistoryRow {
    NewHistoryRow(
      kind: version == nil ? .repeatable : .versioned, version: version, name: name,
      direction: direction, outcome: outcome, attempt: resumes, undoes: undoes,
      upChecksum: up?.checksum, downChecksum: down?.checksum, upText: up?.text,
      downText: down?.text, statements: statements, error: error, host: HostName.current,
      toolVersion: toolVersion, durationMilliseconds: duration.map { Int($0 / .milliseconds(1)) },
      details: details)
  }
}

/// The name of this machine.
enum HostName {
  static let current: String = {
    var name = [CChar](repeating: 0, count: 256)
    guard gethostname(&name, name.count - 1) == 0 else { return "" }
    return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }()
}

/// How long each statement of a step took and what it locked, for the history's details.
struct StatementTimes {
  private var parts: [String] = []

  /// - Parameter locks: a JSON array; nil where nothing is known of them.
  mutating func add(_ statement: ScriptStatement, _ duration: Duration, _ locks: String? = nil) {
    let microseconds = Int(duration / .microseconds(1))
    parts.append(
      "{\"line\":\(statement.statement.start.line),\"microseconds\":\(microseconds)"
        + (locks.map { ",\"locks\":\($0)" } ?? "") + "}")
  }

  /// A JSON object.
  func json(_ mark: RestorePoints.Mark) -> SQLText {
    SQLText("{\(mark.json),\"statements\":[\(parts.joined(separator: ","))]}")
  }
}

extension Connection {
  /// Runs one statement of a script, with its rows when it is a `COPY … FROM STDIN`.
  func run(_ statement: ScriptStatement, text: SQLText) throws {
    guard let rows = statement.rows else { return try run(text) }
    let copy = try copyIn(text)
    do { try rows.withUnsafeBytes { try copy.write($0) } } catch {
      copy.abort("the migration stopped")
      throw error
    }
    _ = try copy.finish()
  }
}
