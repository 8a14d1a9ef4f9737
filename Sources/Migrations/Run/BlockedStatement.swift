/// A statement of a migration that waits for a lock.
public struct BlockedStatement: Hashable, Sendable, CustomStringConvertible {
  /// Who holds what it waits for, the oldest first; at most five.
  public var blockers: [LockHolder]
  /// How many sessions wait behind it.
  public var waitingBehind: Int

  /// The same blockers, however long they have been there.
  public static func == (left: Self, right: Self) -> Bool {
    left.waitingBehind == right.waitingBehind
      && left.blockers.map(\.processID) == right.blockers.map(\.processID)
  }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(waitingBehind)
    hasher.combine(blockers.map(\.processID))
  }

  public var description: String {
    var text = "blocked by " + blockers.map(\.description).joined(separator: "; and by ")
    if blockers.contains(where: { $0.applicationName.hasPrefix("pgkeep backup") }) {
      text += " (a backup of pgkeep: it ends by itself)"
    }
    if waitingBehind > 0 {
      text += "; \(waitingBehind) \(waitingBehind == 1 ? "session waits" : "sessions wait") behind"
    }
    return text
  }
}

/// How far a long statement is, by the server's progress views.
public struct StatementProgress: Hashable, Sendable {
  /// `CREATE INDEX CONCURRENTLY: building index: scanning table`
  public var phase: String
  /// Of this phase; nil when the server does not tell.
  public var percent: Int?
}
