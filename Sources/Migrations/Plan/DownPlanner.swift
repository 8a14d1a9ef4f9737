import Postgres

/// How far `down` goes.
public enum DownTarget: Hashable, Sendable {
  /// So many migrations, the one applied last first.
  case steps(Int)
  /// Down to this version, which stays.
  case version(MigrationVersion)
}

/// Decides what `down` has to do, from what the history keeps alone.
struct DownPlanner {
  let state: AppliedState
  let history: History
  /// The files, where they can be read: they tell whether a stored down is out of date.
  let files: MigrationFiles?
  /// Whether migrations that say they are irreversible are taken back all the same.
  let allowsIrreversible: Bool

  func plan(_ target: DownTarget) throws -> MigrationPlan {
    for attempt in state.unfinished where attempt.direction == .up {
      throw MigrationsError(
        .unfinished,
        "\(attempt.title) stopped half way up. Finish it first with migrate up, or say what is "
          + "true with migrate repair.")
    }
    let entries = try self.entries(target)
    var warnings: [String] = []
    let steps = try entries.map { entry in
      if let version = entry.version, let stored = entry.downChecksum,
        let file = files?.migration(version)?.down, file.checksum != stored
      {
        warnings.append(
          "\(file.source) has changed since its up was applied; what was stored then is run.")
      }
      return try step(entry)
    }
    return MigrationPlan(steps: steps, warnings: warnings)
  }

  /// The rows to undo, in the reverse of the order in which they were applied.
  private func entries(_ target: DownTarget) throws -> [HistoryEntry] {
    let newestFirst = Array(state.applied.reversed())
    switch target {
    case .steps(let count):
      guard count > 0 else {
        throw MigrationsError(.noSuchStep, "The number of migrations to undo must be above zero.")
      }
      guard count <= newestFirst.count else {
        throw MigrationsError(
          .noSuchStep,
          newestFirst.isEmpty
            ? "There is nothing to undo: no migration is applied."
            : "Cannot undo \(count) migrations: only \(newestFirst.count) are applied. Nothing "
              + "was done.")
      }
      return Array(newestFirst.prefix(count))
    case .version(let version):
      guard state.applied(version) != nil else {
        throw MigrationsError(
          .noSuchStep, "Cannot go down to \(version): it is not applied. Nothing was done.")
      }
      return newestFirst.filter { $0.version.map { $0 > version } ?? false }
    }
  }

  private func step(_ entry: HistoryEntry) throws -> PlannedStep {
    if entry.outcome == .baseline, !allowsIrreversible {
      throw MigrationsError(
        .irreversible,
        "\(entry.title) is part of the baseline: it was in the database before pgkeep came. "
          + "Nothing was done. --irreversible runs its down all the same.")
    }
    let texts = try history.texts(entry.id)
    let up = texts.up.map { MigrationScript(source: "\(entry.title).up.sql", stored: $0) }
    if let reason = up?.irreversibleReason, !allowsIrreversible {
      throw MigrationsError(
        .irreversible,
        "\(entry.title) says that it is irreversible: \(reason). Nothing was done. "
          + "--irreversible takes it back all the same"
          + (texts.down == nil ? ", in the history only: it has no down." : "."))
    }
    guard let text = texts.down ?? (up?.irreversibleReason != nil ? "" : nil) else {
      throw MigrationsError(
        .irreversible, "The history keeps no down for \(entry.title). Nothing was done.")
    }
    let script = MigrationScript(
      source: "\(entry.title).down.sql (from the history)", stored: text)
    return PlannedStep(
      direction: .down, version: entry.version, name: entry.name, script: script, up: up,
      down: script, undoes: entry.id,
      resumes: state.unfinished.first { $0.version == entry.version }?.id)
  }
}
