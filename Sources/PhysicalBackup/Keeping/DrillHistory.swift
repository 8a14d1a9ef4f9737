public import ObjectStore
public import Repository

/// When a base backup was tried by drills, and how that ended: what the names of the reports tell.
public struct DrillHistory: Hashable, Sendable {
  public struct Drill: Hashable, Sendable {
    /// When it was begun.
    public let time: UTCTime
    public let passed: Bool
  }

  /// The newest.
  public private(set) var last: Drill
  /// When the newest that passed was begun.
  public private(set) var lastPassed: UTCTime?

  private init(_ drill: Drill) {
    last = drill
    lastPassed = drill.passed ? drill.time : nil
  }

  private mutating func add(_ drill: Drill) {
    if drill.time > last.time { last = drill }
    if drill.passed { lastPassed = max(lastPassed ?? drill.time, drill.time) }
  }

  /// Takes note of a key when it is a report's.
  static func note(
    _ key: String, _ layout: ClusterLayout, _ histories: inout [BackupID: DrillHistory]
  ) {
    guard let (base, drill) = layout.drill(of: key) else { return }
    histories[base]?.add(drill)
    if histories[base] == nil { histories[base] = DrillHistory(drill) }
  }

  /// Those of all base backups of a cluster, each by its base backup's ID.
  public static func all(
    in store: any ObjectStore, environment: String, systemIdentifier: String
  ) throws -> [BackupID: DrillHistory] {
    let layout = ClusterLayout(environment: environment, systemIdentifier: systemIdentifier)
    var histories: [BackupID: DrillHistory] = [:]
    try store.list(prefix: layout.basePrefix) { note($0.key, layout, &histories) }
    return histories
  }
}

extension ClusterLayout {
  /// The base backup and the drill that a report's key names; nil for every other key.
  fileprivate func drill(of key: String) -> (BackupID, DrillHistory.Drill)? {
    guard let base = base(of: key), key.hasPrefix(drillPrefix(base)) else { return nil }
    let name = key.dropFirst(drillPrefix(base).count)
    for (suffix, passed) in [("-passed.json", true), ("-failed.json", false)] {
      guard name.hasSuffix(suffix), let id = BackupID(name.dropLast(suffix.utf8.count)) else {
        continue
      }
      return (base, DrillHistory.Drill(time: id.time, passed: passed))
    }
    return nil
  }
}
