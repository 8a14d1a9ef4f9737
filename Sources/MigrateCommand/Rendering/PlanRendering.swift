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

/// What was done, or is to be done, in each schema; without a name where there is only the database.
typealias BySchema<Element> = [(schema: String?, result: Element)]

enum PlanRendering {
  static func json(_ plans: BySchema<MigrationPlan>) -> JSONValue {
    [
      "steps": .array(
        plans.flatMap { plan in plan.result.steps.map { $0.json.named(plan.schema) } }),
      "warnings": .array(plans.flatMap(\.result.warnings).map { .string($0) }),
    ]
  }
}

extension [MigrationPlan] {

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

enum DoneRendering {
  static func json(_ done: BySchema<[FinishedStep]>) -> JSONValue {
    ["done": .array(done.flatMap { part in part.result.map { $0.json.named(part.schema) } })]
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
