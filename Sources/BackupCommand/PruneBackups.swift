import ArgumentParser
import Logging
import ObjectStore
import PhysicalBackup
import Repository
import ToolSupport

struct PruneBackups: BackupToolCommand {
  static let configuration = CommandConfiguration(
    commandName: "prune", abstract: "Delete old backups, never the last good one.",
    discussion: """
      A backup stays when any of the --keep options keeps it; --keep-days 30 when none is given. \
      The newest whole backup of each database stays whatever its age. What an interrupted run \
      left behind goes once it is seven days old.

      Of base backups and WAL, --keep-days (30) keeps every moment of so many days restorable: the \
      newest base backup from before them, all later ones, and all WAL since.

        backup prune --dry-run
        backup prune --keep-days 14 --keep-monthly 12
      """)

  static var alerts: Alerts { .failures }

  @Option(
    help: ArgumentHelp("Keep what is younger (BACKUP_RETENTION_DAYS; 30).", valueName: "days"))
  var keepDays: Int?
  @Option(help: ArgumentHelp("Keep the newest so many.", valueName: "n"))
  var keepLast = 0
  @Option(help: ArgumentHelp("Keep the newest of each of so many days.", valueName: "n"))
  var keepDaily = 0
  @Option(help: ArgumentHelp("Keep the newest of each of so many weeks.", valueName: "n"))
  var keepWeekly = 0
  @Option(help: ArgumentHelp("Keep the newest of each of so many months.", valueName: "n"))
  var keepMonthly = 0
  @Option(help: ArgumentHelp("Keep the newest of each of so many years.", valueName: "n"))
  var keepYearly = 0
  @Option(help: ArgumentHelp("Only this database's backups.", valueName: "name"))
  var database: String?
  @Flag(help: "Show the plan, and delete nothing.")
  var dryRun = false
  @OptionGroup var store: StoreOptions
  @OptionGroup var json: JSONOption
  @OptionGroup var output: OutputOptions

  var isJSON: Bool { json.json }

  func run(_ run: Run) throws {
    let others = [keepLast, keepDaily, keepWeekly, keepMonthly, keepYearly]
    let days = try run.configuration.retentionDays(
      flag: keepDays, hasOtherRules: others.contains { $0 > 0 })
    let policy = RetentionPolicy(
      keepDays: days, keepLast: keepLast,
      keepDaily: keepDaily, keepWeekly: keepWeekly, keepMonthly: keepMonthly,
      keepYearly: keepYearly)
    let prune = Prune(try run.openRepository(store), cancellation: run.cancellation)
    let plan = try prune.plan(policy: policy, database: database)
    for warning in plan.warnings { run.logger.warning("\(warning)") }
    var physical = try PrunePhysical(
      run, prune.store, days: run.configuration.retentionDays(flag: keepDays),
      isMeant: database == nil)
    if dryRun {
      run.show(
        json: PlanRendering.json(plan, nil, physical.json),
        text: PlanRendering.text(plan, physical.table))
      return
    }
    let outcome = try prune.run(plan) { line in
      run.logger.info("deleted \(line.names.database) \(line.names.id): \(line.reason)")
    }
    try physical.delete()
    run.note("backups_deleted", .integer(outcome.deleted.count))
    run.note("bytes_freed", .integer(outcome.freed + physical.freed))
    run.conclude(
      json: PlanRendering.json(plan, outcome, physical.json),
      text: PlanRendering.summary(plan, outcome) + physical.summary)
    for refusal in outcome.refused where refusal.isExpected {
      run.logger.warning(
        "not deleted: \(refusal.line.names.database) \(refusal.line.names.id): \(refusal.reason)")
    }
    let failures = outcome.refused.filter { !$0.isExpected }
    if let refusal = failures.first {
      throw ErrorReport(
        .configuration, code: "refused",
        "\(Humane.plural(failures.count, "thing")) could not be deleted; the first is "
          + "\(refusal.line.names.database) \(refusal.line.names.id): \(refusal.reason)")
    }
    try physical.check()
  }
}
