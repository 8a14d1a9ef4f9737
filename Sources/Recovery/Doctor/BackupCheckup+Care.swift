import ByteStream
import ObjectStore
import PhysicalBackup
import Repository

extension BackupCheckup {
  func checkProof(_ whole: [CatalogEntry], _ now: UTCTime) throws {
    try list.check("backup.proof", advice: "") {
      guard let newest = whole.last else { return .ok("there is no backup yet to verify") }
      let failed = whole.last { $0.newestProof?.passed == false }
      let proven = whole.last { $0.newestPassedProof != nil }
      if let failed, failed.id == newest.id || proven.map({ $0.id < failed.id }) ?? true {
        let why = failed.newestProof?.findings.first ?? ""
        return .failure(
          "the verification of \(failed.id) failed: \(why)",
          "Run \"backup run\" now, then \"backup verify\"; keep the older backups.")
      }
      guard let proven, let proof = proven.newestPassedProof else {
        return .warning(
          "no backup was ever verified", "Run \"backup verify\" each week, or after each backup.")
      }
      let age = now.seconds(since: proof.time)
      let words = "the backup \(proven.id) was verified \(Wording.duration(age)) ago, and is sound"
      return age > options.proofAge / .seconds(1)
        ? .warning(words, "Run \"backup verify\" each week, or after each backup.") : .ok(words)
    }
  }

  /// Whether a drill has proven lately that the cluster can be recovered; nothing where there is no
  /// base backup of it.
  func checkDrill(_ store: any ObjectStore, _ server: ServerFacts?, _ now: UTCTime) throws {
    guard let identifier = server?.systemIdentifier, list.wants("backup.drill") else { return }
    let advice = "Run \"restore drill\" each month, on a machine with room for the cluster."
    let environment = environment
    let drills: [DrillHistory]
    do {
      let layout = ClusterLayout(environment: environment, systemIdentifier: identifier)
      let (hasBase, found) = try list.bounded {
        let keys = try store.list(prefix: layout.basePrefix).map(\.key)
        return (
          keys.contains { layout.base(ofManifest: $0) != nil },
          try DrillHistory.all(
            in: store, environment: environment, systemIdentifier: identifier)
        )
      }
      guard hasBase else { return }
      drills = Array(found.values)
    } catch {
      try list.cancellation.check()
      return list.add("backup.drill", .failure("drills cannot be looked for: \(error)", advice))
    }
    try list.check("backup.drill", advice: advice) {
      if let last = drills.map(\.last).max(by: { $0.time < $1.time }), !last.passed {
        return .failure(
          "the last drill, \(Wording.duration(now.seconds(since: last.time))) ago, has failed",
          "Look at \"backup list\" and into the drill's report; then run \"restore drill\" again.")
      }
      guard let passed = drills.compactMap(\.lastPassed).max() else {
        return .warning("no drill has recovered any of the base backups that there are", advice)
      }
      let age = now.seconds(since: passed)
      let words = "a drill recovered the cluster \(Wording.duration(age)) ago"
      return age > options.drillAge / .seconds(1) ? .warning(words, advice) : .ok(words)
    }
  }

  func checkRetention(_ catalog: BackupCatalog, _ now: UTCTime) throws {
    try list.check(
      "backup.retention", advice: "Look at \"backup prune --dry-run\" before anything is deleted."
    ) {
      guard !catalog.entries.isEmpty else { return .ok("there is nothing yet to keep") }
      let plan = try RetentionPlan(catalog, policy: options.retention, now: now)
      let days = options.retention.keepDays
      let kept = plan.lines.count - plan.deletions.count
      let words =
        "backups are kept for \(days) days: \(kept) are kept, \(plan.deletions.count) may go"
      let late = now.adding(days: -(days + 3))
      let overdue = plan.deletions.filter { line in
        if case .backup(let entry) = line.subject { return entry.id.time < late }
        return false
      }
      if !overdue.isEmpty {
        return .warning(
          "\(words), some for days already", "Let \"backup prune\" run after each backup.")
      }
      if let warning = plan.warnings.first {
        return .warning("\(words); \(warning)", "Look at \"backup list\".")
      }
      return .ok(words)
    }
  }

  /// Whether a deploy's migrations and the backup meet: a migration waits for the locks of a
  /// backup, and with it all that comes after.
  ///
  /// - Parameters:
  ///   - server: nil when it could not be asked; then nothing is said.
  ///   - manifests: of whole backups, oldest first.
  func checkOverlap(_ server: ServerFacts?, _ manifests: [Manifest]) throws {
    guard let server else { return }
    try list.check("backup.deploy_overlap", advice: "") {
      let advice =
        "Move the nightly backup to a time at which nobody deploys, or let the deploy wait for it."
      if let running = server.migrationRunning {
        return .warning("a migration is running now: \(running)", advice)
      }
      let migrations = server.migrations
      let recent = manifests.suffix(30)
      for migration in migrations {
        let start = migration.ended.milliseconds - Int64(migration.milliseconds)
        let meets = recent.first { backup in
          backup.started <= migration.ended && backup.finished.milliseconds >= start
        }
        if let meets {
          return .warning(
            "the migration \(migration.version) ran while the backup \(meets.id) was made", advice)
        }
      }
      let near = migrations.filter { migration in
        recent.contains { Self.isNear(migration.ended, $0) }
      }
      if let one = near.first {
        return .warning(
          "\(near.count) of the \(migrations.count) migrations of the last 90 days ran at the time "
            + "of day at which backups are made (such as \(one.version), \(one.ended))", advice)
      }
      return .ok("no migration is running, and none ran at the time of day of the backups")
    }
  }

  /// Whether a moment is at the time of day of a backup, or within a quarter of an hour of it.
  private static func isNear(_ time: UTCTime, _ backup: Manifest) -> Bool {
    let day: Int64 = 86_400_000
    let margin: Int64 = 900_000
    let length = backup.finished.milliseconds - backup.started.milliseconds + 2 * margin
    let since = (time.milliseconds - (backup.started.milliseconds - margin)) % day
    return (since < 0 ? since + day : since) <= length
  }
}
