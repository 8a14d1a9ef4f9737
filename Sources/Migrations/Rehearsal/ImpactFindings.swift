import Postgres

/// Turns what statements did into findings, weighed by how large the target's tables are.
struct ImpactFindings {
  let script: MigrationScript
  let sizes: RelationSizes

  func findings(
    _ measured: [(statement: ScriptStatement, impacts: [StatementImpact])]
  ) -> [RehearsalFinding] {
    measured.flatMap { statement, impacts in impacts.flatMap { self.findings(statement, $0) } }
  }

  private func findings(
    _ statement: ScriptStatement, _ impact: StatementImpact
  ) -> [RehearsalFinding] {
    var found: [RehearsalFinding] = []
    func add(_ name: RehearsalFinding.Name, _ message: String, _ advice: String) {
      found.append(
        RehearsalFinding(
          name: name, file: script.source, line: statement.statement.start.line,
          message: "statement \(statement.ordinal): \(message)", advice: advice))
    }
    let table = sizes.words(impact.relation)
    let lock = impact.lock.map { LockMode.words($0) } ?? ""
    if impact.isIndex {
      if impact.isRewritten {
        add(
          .indexRebuild, "index \(table) is built anew",
          "use REINDEX INDEX CONCURRENTLY, or a type change that keeps the index")
      }
      return found
    }
    if impact.isGone {
      add(
        .tableDropped, "table \(table) is gone",
        "first release the code that no longer uses it, then drop it in a later migration")
      return found
    }
    if !impact.lostColumns.isEmpty {
      add(
        .columnDropped,
        "\(table) loses \(impact.lostColumns.joined(separator: ", "))",
        "first release the code that no longer uses it, then drop it; instead of renaming, add the "
          + "new one and fill both for a while")
    }
    if impact.isRewritten {
      add(
        .tableRewrite,
        "\(lock.isEmpty ? "ACCESS EXCLUSIVE" : lock) on \(table) while it is rewritten",
        "add a new column, fill it in batches in a no-transaction migration, then change over")
      return found
    }
    for index in impact.newIndexes where impact.lock.map(LockMode.blocksWrites) ?? false {
      add(
        .blockingIndex, "\(lock) on \(table) while index \(index) is built",
        "CREATE INDEX CONCURRENTLY in a -- pgkeep: no-transaction file; for a constraint, ADD "
          + "CONSTRAINT … USING INDEX afterwards")
    }
    guard let mode = impact.lock, LockMode.blocksWrites(mode), impact.newIndexes.isEmpty else {
      return found
    }
    if impact.isScanned {
      add(
        .scanUnderLock, "\(lock) on \(table) while all of it is read",
        "ADD CONSTRAINT … NOT VALID, and VALIDATE CONSTRAINT in the next migration; SET NOT NULL "
          + "reads nothing where a validated CHECK (column IS NOT NULL) proves it")
    } else if LockMode.blocksReads(mode) {
      add(
        .blocksReads, "\(lock) on \(table) until the migration ends",
        "short by itself; keep such statements last in a migration, and away from long ones")
    } else {
      add(
        .blocksWrites, "\(lock) on \(table) until the migration ends",
        "short by itself; keep such statements last in a migration, and away from long ones")
    }
    return found
  }
}
