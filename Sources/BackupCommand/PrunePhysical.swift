import Logging
import ObjectStore
import PhysicalBackup
import ToolSupport

/// The part of `backup prune` that is about base backups and WAL.
struct PrunePhysical {
  private let run: Run
  private let prune: PhysicalPrune
  private let plans: [PhysicalRetentionPlan]
  private var outcomes: [PhysicalPrune.Outcome]?

  /// Makes the plans, and warns of what holds something back.
  ///
  /// - Parameter isMeant: false when only one database's backups are to be looked at.
  init(_ run: Run, _ store: any ObjectStore, days: Int, isMeant: Bool) throws {
    self.run = run
    prune = PhysicalPrune(
      SealedStore(store), environment: run.environmentName, cancellation: run.cancellation)
    plans = isMeant ? try prune.plan(days: days) : []
    for warning in plans.flatMap(\.warnings) { run.logger.warning("\(warning)") }
  }

  mutating func delete() throws {
    let logger = run.logger
    let outcomes = try plans.map { plan in
      try prune.run(plan) { logger.info("deleted \($0.name): \($0.reason)") }
    }
    for refusal in outcomes.flatMap(\.refused) where refusal.isExpected {
      logger.info("not deleted \(refusal.line.name): \(refusal.reason)")
    }
    self.outcomes = outcomes
  }

  var freed: Int { (outcomes ?? []).reduce(0) { $0 + $1.freed } }

  var summary: String {
    let deleted = (outcomes ?? []).flatMap(\.deleted)
    guard !deleted.isEmpty else { return "" }
    let bases = deleted.filter { $0.kind == .base }.count
    return "Deleted \(Humane.plural(bases, "base backup")) and WAL that nothing needs any more, "
      + "freed \(Humane.size(freed)).\n"
  }

  /// Throws when something could not be deleted.
  func check() throws {
    let refusals = (outcomes ?? []).flatMap(\.refused)
    guard let refusal = refusals.first(where: { !$0.isExpected }) else { return }
    throw ErrorReport(
      .configuration, code: "refused",
      "\(refusal.line.name) could not be deleted: \(refusal.reason)")
  }

  var table: String {
    plans.map { plan in
      var table = TextTable(["", "BASE BACKUPS AND WAL", .number("SIZE"), "WHY"])
      for line in plan.lines {
        table.add([
          line.isDeleted ? "delete" : "keep", line.name, Humane.size(line.bytes), line.reason,
        ])
      }
      return table.isEmpty ? "" : "cluster \(plan.systemIdentifier)\n" + table.text
    }.joined(separator: "\n")
  }

  var json: JSONValue {
    let deleted = outcomes.map { Set($0.flatMap(\.deleted)) }
    return .array(
      plans.map { plan in
        [
          "system_identifier": .string(plan.systemIdentifier),
          "plan": .array(
            plan.lines.map { line in
              [
                "action": .string(line.isDeleted ? "delete" : "keep"),
                "kind": .string(line.kind.rawValue), "name": .string(line.name),
                "objects": .integer(line.objects), "bytes": .integer(line.bytes),
                "reason": .string(line.reason),
                "deleted": .bool(deleted?.contains(line) ?? false),
              ]
            }),
          "warnings": .array(plan.warnings.map { .string($0) }),
        ]
      })
  }
}
