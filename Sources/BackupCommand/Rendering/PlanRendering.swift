import Repository
import ToolSupport

/// `backup prune`.
enum PlanRendering {
  /// - Parameter physical: the plan for base backups and WAL, as text; empty without any.
  static func text(_ plan: RetentionPlan, _ physical: String) -> String {
    guard !plan.lines.isEmpty else {
      return physical.isEmpty
        ? "There is nothing in the store.\n"
        : physical + "\nA dry run: nothing was deleted.\n"
    }
    var table = TextTable(["", "DATABASE", "ID", .number("SIZE"), "WHY"])
    for line in plan.lines {
      table.add([
        line.isDeleted ? "delete" : "keep", line.names.database, line.names.id.description,
        Humane.size(line.bytes), line.reason,
      ])
    }
    let bytes = plan.deletions.reduce(0) { $0 + $1.bytes }
    let others = physical.isEmpty ? "" : "\n" + physical
    return table.text + others
      + "\nA dry run: nothing was deleted. A run would delete "
      + (physical.isEmpty ? "" : "what is marked of base backups and WAL, and ")
      + "\(plan.deletions.count) of \(plan.lines.count) and free \(Humane.size(bytes)).\n"
  }

  static func summary(_ plan: RetentionPlan, _ outcome: Prune.Outcome) -> String {
    let kept = plan.lines.count - outcome.deleted.count
    let refused =
      outcome.refused.isEmpty ? "" : ", \(outcome.refused.count) of them against the plan"
    guard !outcome.deleted.isEmpty else {
      return (refused.isEmpty ? "Nothing to delete" : "Nothing deleted")
        + "; \(kept) kept\(refused).\n"
    }
    return "Deleted \(outcome.deleted.count), freed \(Humane.size(outcome.freed)); "
      + "\(kept) kept\(refused).\n"
  }

  /// - Parameter outcome: nil for a dry run.
  static func json(
    _ plan: RetentionPlan, _ outcome: Prune.Outcome?, _ clusters: JSONValue
  ) -> JSONValue {
    let deleted = outcome.map { Set($0.deleted) }
    return [
      "dry_run": .bool(outcome == nil),
      "plan": .array(
        plan.lines.map { line in
          [
            "action": .string(line.isDeleted ? "delete" : "keep"),
            "database": .string(line.names.database), "id": .string(line.names.id.description),
            "kind": .string(kind(line)), "bytes": .integer(line.bytes),
            "reason": .string(line.reason),
            "deleted": .bool(deleted?.contains(line) ?? false),
          ]
        }),
      "bytes_freed": .integer(outcome?.freed ?? 0),
      "refused": .array(
        (outcome?.refused ?? []).map { refusal in
          [
            "id": .string(refusal.line.names.id.description),
            "reason": .string(refusal.reason),
          ]
        }),
      "clusters": clusters,
      "warnings": .array(plan.warnings.map { .string($0) }),
    ]
  }

  private static func kind(_ line: RetentionPlan.Line) -> String {
    switch line.subject {
    case .backup: "backup"
    case .leftover: "leftover"
    }
  }
}
