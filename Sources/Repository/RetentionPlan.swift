public import ObjectStore

/// What would be kept and what deleted, and why: a pure function of a catalog and a clock.
public struct RetentionPlan: Hashable, Sendable {
  public enum Subject: Hashable, Sendable {
    case backup(CatalogEntry)
    case leftover(Leftover)
  }

  public struct Line: Hashable, Sendable {
    public let subject: Subject
    public let isDeleted: Bool
    /// Why, in words.
    public let reason: String

    public var names: BackupNames {
      switch subject {
      case .backup(let entry): entry.names
      case .leftover(let leftover): leftover.names
      }
    }

    /// Bytes that deleting it would free, or keeping it takes.
    public var bytes: Int {
      switch subject {
      case .backup(let entry): entry.bytes
      case .leftover(let leftover): leftover.bytes
      }
    }
  }

  /// Pins that count no more.
  public let stalePins: [Pin]
  /// By database, backups oldest first, then leftovers.
  public let lines: [Line]
  /// What somebody should look at, in words.
  public let warnings: [String]
  /// The moment that ages were reckoned at.
  public let now: UTCTime

  /// How far clocks of hosts and stores may differ without anything being wrong.
  public static let clockTolerance: Int64 = 3600

  /// The lines that delete.
  public var deletions: [Line] { lines.filter(\.isDeleted) }

  /// Decides about everything in a catalog.
  ///
  /// Never deleted, whatever the policy: the newest whole backup of each database; the newest one
  /// whose newest proof passed, and the newest one whose newest proof did not fail; what is pinned by
  /// a reader or by the caller; what this version cannot read; the backups of a database that has no whole one, or none younger than the policy's days; leftovers of less
  /// than seven days.
  ///
  /// - Parameters:
  ///   - now: the store's clock.
  ///   - pinned: more backups that something else needs, such as a point in time.
  /// - Throws: ``RepositoryError/Code/clock`` when there is a backup in the future, or when every
  ///   database's newest backup is too old: then a clock has jumped, or backups have stopped.
  public init(
    _ catalog: BackupCatalog, policy: RetentionPolicy, now: UTCTime, pinned: Set<BackupID> = []
  ) throws {
    try policy.check()
    let pinned = pinned.union(catalog.pins.filter { $0.mark.holds(at: now) }.map(\.backup.id))
    try Self.checkClock(catalog, now)
    var lines: [Line] = []
    var warnings: [String] = []
    var stale: [String] = []
    let databases = catalog.databases
    for database in databases {
      let entries = catalog.entries.filter { $0.database == database }
      let rules = RetentionRules(entries, policy: policy, now: now, pinned: pinned)
      if let why = rules.hold {
        if rules.isStale { stale.append(database) }
        warnings.append("nothing of \(database) is deleted: \(why)")
      }
      lines += entries.map { entry in
        let (isDeleted, reason) = rules.verdict(entry)
        return Line(subject: .backup(entry), isDeleted: isDeleted, reason: reason)
      }
    }
    if !stale.isEmpty, stale.count == databases.count {
      throw RepositoryError(
        .clock,
        "the newest backup in \(catalog.place), environment \(catalog.environment), is older than "
          + "\(policy.keepDays) days by the store's clock (\(now)): either a clock has jumped or "
          + "backups have stopped; nothing is deleted before there is a new backup")
    }
    lines += catalog.leftovers.map { Self.line($0, now) }
    self.lines = lines
    stalePins = catalog.pins.filter { !$0.mark.holds(at: now) }
    self.warnings = warnings
    self.now = now
  }

  private static func checkClock(_ catalog: BackupCatalog, _ now: UTCTime) throws {
    let limit = now.adding(seconds: clockTolerance)
    for entry in catalog.entries {
      let latest = max(entry.id.time, entry.stored)
      guard latest > limit else { continue }
      throw RepositoryError(
        .clock,
        "the backup \(entry.id) of \(entry.database) is of \(latest), which is in the future by "
          + "the store's clock (\(now)): a clock has jumped; nothing is deleted")
    }
  }

  private static func line(_ leftover: Leftover, _ now: UTCTime) -> Line {
    let days = RetentionPolicy.leftoverDays
    let isDeleted = leftover.modified < now.adding(days: -days)
    let what =
      leftover.kind == .object ? "data without a manifest" : "an unfinished write"
    return Line(
      subject: .leftover(leftover), isDeleted: isDeleted,
      reason: isDeleted
        ? "\(what), last written more than \(days) days ago"
        : "\(what), written less than \(days) days ago: somebody may still be at it")
  }
}
