/// What the history adds up to.
struct AppliedState {
  /// The rows that brought what is applied, in the order in which that was done.
  let applied: [HistoryEntry]
  /// Migrations without a transaction that stopped half way: the rows that began the attempts.
  let unfinished: [HistoryEntry]
  /// The last run of each repeatable file, by name.
  let repeatables: [String: HistoryEntry]

  private let entries: [HistoryEntry]
  private let byVersion: [UInt64: Int]

  /// - Parameter entries: one scope's, oldest first.
  init(_ entries: [HistoryEntry]) {
    // Places in `entries`: the rows themselves are large.
    var applied: [UInt64: Int] = [:]
    var unfinished: [UInt64: Int] = [:]
    var repeatables: [String: HistoryEntry] = [:]
    var started: [Int: Int] = [:]
    applied.reserveCapacity(entries.count)
    for index in entries.indices {
      guard entries[index].kind == .versioned, let version = entries[index].version?.number else {
        if entries[index].outcome == .done { repeatables[entries[index].name] = entries[index] }
        continue
      }
      // Whatever follows for a version decides about an attempt that was open.
      unfinished[version] = nil
      switch (entries[index].outcome, entries[index].direction) {
      case (.started, _):
        started[entries[index].id] = index
        unfinished[version] = index
      case (.failed, _): unfinished[version] = entries[index].attempt.flatMap { started[$0] }
      case (_, .up): applied[version] = index
      case (_, .down): applied[version] = nil
      }
    }
    byVersion = applied
    self.entries = entries
    // They come in the order of their numbers.
    self.applied = applied.values.sorted().map { entries[$0] }
    self.unfinished = unfinished.values.sorted().map { entries[$0] }
    self.repeatables = repeatables
  }

  /// The row that brought a version, if it is applied.
  func applied(_ version: MigrationVersion) -> HistoryEntry? {
    byVersion[version.number].map { entries[$0] }
  }

  /// The highest applied version.
  var newestVersion: MigrationVersion? {
    applied.lazy.compactMap(\.version).max()
  }
}
