import ObjectStore

/// The rules of a policy, worked out for one database's backups.
struct RetentionRules {
  /// Why nothing of this database may be deleted; nil when something may.
  private(set) var hold: String?
  /// Whether ``hold`` is for the age of the newest backup.
  private(set) var isStale = false

  private let policy: RetentionPolicy
  private let now: UTCTime
  private let pinned: Set<BackupID>
  private var reasons: [BackupID: String] = [:]

  /// - Parameter entries: one database's, oldest first.
  init(
    _ entries: [CatalogEntry], policy: RetentionPolicy, now: UTCTime, pinned: Set<BackupID>
  ) {
    self.policy = policy
    self.now = now
    self.pinned = pinned
    let whole = entries.filter(\.isWhole)
    guard let newest = whole.last else {
      hold = "it has no whole backup"
      return
    }
    if policy.keepDays > 0, Self.age(newest, now) > policy.keepDays {
      hold = "its newest whole backup is older than \(policy.keepDays) days"
      isStale = true
    }
    note(newest, "the newest whole backup of \(newest.database)")
    if let verified = whole.last(where: { $0.newestProof?.passed == true }) {
      note(verified, "the newest verified backup of \(verified.database)")
    }
    if let sound = whole.last(where: { $0.newestProof?.passed != false }) {
      note(sound, "the newest backup of \(sound.database) that no verification found damaged")
    }
    for (i, entry) in whole.suffix(policy.keepLast).reversed().enumerated() {
      note(entry, "number \(i + 1) of the last \(policy.keepLast)")
    }
    keep(whole, policy.keepDaily, "day") { $0.dayNumber }
    // 1970-01-01 was a Thursday; weeks begin on Monday.
    keep(whole, policy.keepWeekly, "week") { ($0.dayNumber + 3_500_003) / 7 }
    keep(whole, policy.keepMonthly, "month") { $0.fields.year * 12 + $0.fields.month }
    keep(whole, policy.keepYearly, "year") { $0.fields.year }
  }

  /// Whether a backup goes, and why or why not.
  func verdict(_ entry: CatalogEntry) -> (isDeleted: Bool, reason: String) {
    switch entry.state {
    case .newerFormat(let why): return (false, why)
    case .unreadable(let why): return (false, "the manifest cannot be read: \(why)")
    case .complete, .incomplete: break
    }
    if let reason = reasons[entry.id] { return (false, reason) }
    if pinned.contains(entry.id) { return (false, "something else needs it") }
    let days = entry.isWhole ? policy.keepDays : policy.keepDaysOfOthers
    if days > 0, Self.age(entry, now) <= days {
      return (false, "younger than \(days) days")
    }
    if let hold { return (false, hold) }
    return (true, Self.whyDeleted(entry, days))
  }

  private static func whyDeleted(_ entry: CatalogEntry, _ days: Int) -> String {
    let age = days > 0 ? "older than \(days) days" : "no rule keeps it"
    if let problem = entry.problem { return "\(problem), and \(age)" }
    return entry.isWhole ? age : "holds a part of the database only, and \(age)"
  }

  /// Days since it was begun by its host's clock, or stored by the store's, whichever is later:
  /// a host whose clock is slow does not lose what it has just made. A day begun counts whole.
  private static func age(_ entry: CatalogEntry, _ now: UTCTime) -> Int {
    let seconds = now.seconds(since: max(entry.id.time, entry.stored))
    return Int((seconds / 86400).rounded(.up))
  }

  private mutating func note(_ entry: CatalogEntry, _ reason: String) {
    if reasons[entry.id] == nil { reasons[entry.id] = reason }
  }

  /// Notes the newest backup of each of the last `count` periods that have one.
  private mutating func keep(
    _ whole: [CatalogEntry], _ count: Int, _ name: String, _ period: (UTCTime) -> Int
  ) {
    var periods = 0
    var last: Int?
    for entry in whole.reversed() where last != period(entry.id.time) {
      guard periods < count else { return }
      periods += 1
      last = period(entry.id.time)
      note(entry, "the newest of its \(name), \(periods) of \(count)")
    }
  }
}
