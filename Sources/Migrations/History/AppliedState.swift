/// What the history adds up to.
struct AppliedState {
  /// The rows that brought what is applied, in the order in which that was done.
  let applied: [HistoryEntry]
  /// Migrations without a transaction that stopped half way: the rows that began the attempts.
  let unfinished: [HistoryEntry]
  /// The last run of each repeatable file, by name.
  let repeatables: [String: HistoryEntry]

  private let byVersion: [MigrationVersion: HistoryEntry]

  /// - Parameter entries: one scope's, oldest first.
  init(_ entries: [HistoryEntry]) {
    var applied: [MigrationVersion: HistoryEntry] = [:]
    var unfinished: [MigrationVersion: HistoryEntry] = [:]
    var repeatables: [String: HistoryEntry] = [:]
    var started: [Int: HistoryEntry] = [:]
    for entry in entries {
      guard entry.kind == .versioned, let version = entry.version else {
        if entry.outcome == .done { repeatables[entry.name] = entry }
        continue
      }
      // Whatever follows for a version decides about an attempt that was open.
      unfinished[version] = nil
      switch (entry.outcome, entry.direction) {
      case (.started, _):
        started[entry.id] = entry
        unfinished[version] = entry
      case (.failed, _): unfinished[version] = entry.attempt.flatMap { started[$0] }
      case (_, .up): applied[version] = entry
      case (_, .down): applied[version] = nil
      }
    }
    byVersion = applied
    self.applied = applied.values.sorted { $0.id < $1.id }
    self.unfinished = unfinished.values.sorted { $0.id < $1.id }
    self.repeatables = repeatables
  }

  /// The row that brought a version, if it is applied.
  func applied(_ version: MigrationVersion) -> HistoryEntry? { byVersion[version] }

  /// The highest applied version.
  var newestVersion: MigrationVersion? { byVersion.keys.max() }
}
