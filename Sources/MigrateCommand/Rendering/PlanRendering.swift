import Migrations
import Postgres
import ToolSupport

extension PlannedStep {
  var json: JSONValue {
    [
      "direction": .string(direction.rawValue), "version": JSONValue(version?.text),
      "name": .string(name), "file": .string(script.source),
      "transaction": .bool(script.isTransactional), "sql": .string(script.text.string),
    ]
  }
}

extension [MigrationPlan] {
  var json: JSONValue {
    [
      "steps": .array(flatMap(\.steps).map(\.json)),
      "warnings": .array(flatMap(\.warnings).map { .string($0) }),
    ]
  }

  func text(nothing: String) -> String {
    let warnings = flatMap(\.warnings).map { "warning: \($0)\n" }.joined()
    let steps = flatMap(\.steps)
    guard !steps.isEmpty else { return warnings + nothing }
    return warnings
      + steps.map { step in
        let kind = step.script.isTransactional ? "" : " (no transaction)"
        let text = step.script.text.string
        return "-- \(step.direction.rawValue) \(step.title)\(kind)\n"
          + text + (text.hasSuffix("\n") ? "\n" : "\n\n")
      }.joined()
  }
}

extension FinishedStep {
  var json: JSONValue {
    [
      "direction": .string(step.direction.rawValue), "version": JSONValue(step.version?.text),
      "name": .string(step.name), "statements": .integer(statements),
      "duration_ms": .integer(duration.milliseconds),
    ]
  }
}

extension [FinishedStep] {
  var json: JSONValue { ["done": .array(map(\.json))] }

  /// The closing line; the steps themselves were shown as they were done.
  func summary(_ word: String, nothing: String) -> String {
    guard !isEmpty else { return nothing + "\n" }
    return "\(count) \(count == 1 ? "migration" : "migrations") \(word)\n"
  }
}
