/// Decides what `up` has to do.
struct UpPlanner {
  let files: MigrationFiles
  let state: AppliedState
  let outOfOrder: MigratorOptions.OutOfOrder
  let history: History

  /// - Parameter target: the last version that is to be applied; nil for all, and the repeatable
  ///   files behind them.
  func plan(to target: MigrationVersion?) throws -> MigrationPlan {
    if let target, files.migration(target) == nil, state.applied(target) == nil {
      throw MigrationsError(
        .noSuchStep, "There is no migration \(target), neither in \(place) nor in the history.")
    }
    var warnings: [String] = []
    var steps: [PlannedStep] = []
    for attempt in state.unfinished {
      guard attempt.direction == .up else {
        throw MigrationsError(
          .unfinished,
          "The down of \(attempt.title) stopped half way. Finish it first with: migrate down -1")
      }
      steps.append(try resumption(attempt))
    }
    let resumed = Set(steps.compactMap(\.version))
    let pending = files.migrations.filter { migration in
      state.applied(migration.version) == nil && !resumed.contains(migration.version)
        && target.map { migration.version <= $0 } ?? true
    }
    if let newest = state.newestVersion {
      try checkOrder(pending.filter { $0.version < newest }, newest, &warnings)
    }
    steps += pending.map { PlannedStep($0) }
    for applied in state.applied {
      guard let version = applied.version, let file = files.migration(version) else { continue }
      if let was = applied.upChecksum, was != file.up.checksum {
        warnings.append(
          "\(file.up.source) has changed since it was applied; the change has no effect here. "
            + "Make a new migration for it.")
      }
    }
    if target == nil {
      steps += files.repeatables.filter {
        state.repeatables[$0.name]?.upChecksum != $0.script.checksum
      }.map { file in
        PlannedStep(
          direction: .up, version: nil, name: file.name, script: file.script, up: file.script)
      }
    }
    return MigrationPlan(steps: steps, warnings: warnings)
  }

  private var place: String { files.folder.isEmpty ? "the files" : files.folder }

  /// Goes on with an attempt, by the file where there is one: it may have been mended.
  private func resumption(_ attempt: HistoryEntry) throws -> PlannedStep {
    if let version = attempt.version, let migration = files.migration(version) {
      var step = PlannedStep(migration)
      step.resumes = attempt.id
      return step
    }
    let texts = try history.texts(attempt.id)
    guard let up = texts.up else {
      throw MigrationsError(
        .unfinished, "\(attempt.title) stopped half way, and neither its file nor its text is here."
      )
    }
    let source = "\(attempt.title).up.sql (from the history)"
    let script = MigrationScript(source: source, stored: up)
    let down = texts.down.map {
      MigrationScript(source: "\(attempt.title).down.sql (from the history)", stored: $0)
    }
    return PlannedStep(
      direction: .up, version: attempt.version, name: attempt.name, script: script, up: script,
      down: down, resumes: attempt.id)
  }

  private func checkOrder(
    _ late: [Migration], _ newest: MigrationVersion, _ warnings: inout [String]
  ) throws {
    guard !late.isEmpty else { return }
    let names = late.map(\.title).joined(separator: ", ")
    switch outOfOrder {
    case .allow: return
    case .warn: warnings.append("Older than the newest applied version \(newest): \(names)")
    case .refuse:
      throw MigrationsError(
        .outOfOrder,
        "Not applied, but older than the newest applied version \(newest): \(names). Give such a "
          + "file a new version (migrate new makes one), or say --out-of-order allow when its "
          + "place in the order does not matter.")
    }
  }
}
