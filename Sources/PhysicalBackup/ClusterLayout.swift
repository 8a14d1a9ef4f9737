public import Postgres
public import Repository

/// The keys of one cluster's base backups and WAL: docs/repository-format.md, "Physical backups".
public struct ClusterLayout: Hashable, Sendable {
  /// Ends in a slash.
  public let prefix: String
  public let systemIdentifier: String

  public init(environment: String, systemIdentifier: String) {
    prefix = Layout.clusterPrefix(environment: environment, systemIdentifier: systemIdentifier)
    self.systemIdentifier = systemIdentifier
  }

  // MARK: Base backups

  public var basePrefix: String { prefix + "base/" }

  /// Written last and deleted first.
  public func manifestKey(_ id: BackupID) -> String { basePrefix + "\(id).json" }

  /// Everything of a base backup but its manifest.
  public func basePrefix(_ id: BackupID) -> String { basePrefix + "\(id)/" }

  /// - Parameter name: the server's name of the archive, such as `base.tar`.
  public func archiveKey(_ id: BackupID, _ name: String) -> String {
    basePrefix(id) + Layout.component(name) + ".gz"
  }

  public func indexKey(_ id: BackupID) -> String { basePrefix(id) + "index.json.gz" }
  public func serverManifestKey(_ id: BackupID) -> String { basePrefix(id) + "backup_manifest.gz" }
  public func settingsKey(_ id: BackupID) -> String { basePrefix(id) + "settings.json" }

  func drillPrefix(_ base: BackupID) -> String { basePrefix(base) + "drill-" }

  /// What a drill with a base backup has found.
  func drillKey(_ base: BackupID, _ drill: BackupID, passed: Bool) -> String {
    drillPrefix(base) + "\(drill)-\(passed ? "passed" : "failed").json"
  }

  /// The base backup that a manifest's key names; nil for every other key.
  public func base(ofManifest key: String) -> BackupID? {
    guard key.hasPrefix(basePrefix), key.hasSuffix(".json") else { return nil }
    return BackupID(key.dropFirst(basePrefix.count).dropLast(5))
  }

  // MARK: WAL

  public var walPrefix: String { prefix + "wal/" }

  public func walPrefix(timeline: UInt32) -> String {
    walPrefix + WALSegment.timelineName(timeline) + "/"
  }

  /// A whole segment.
  public func segmentKey(_ segment: WALSegment) -> String {
    walPrefix(timeline: segment.timeline) + segment.name + ".gz"
  }

  /// A piece of a segment that is not yet whole.
  public func pieceKey(_ piece: WALPiece) -> String {
    walPrefix(timeline: piece.segment.timeline) + piece.fileName
  }

  public func historyKey(timeline: UInt32) -> String {
    walPrefix(timeline: timeline) + TimelineHistory(timeline: timeline).fileName
  }

  // MARK: Points

  public var pointsPrefix: String { prefix + "points/" }

  /// What is known of the records in a segment.
  public func pointsKey(_ segment: WALSegment) -> String {
    pointsPrefix + WALSegment.timelineName(segment.timeline) + "/" + segment.name + ".json"
  }
  /// The segment that an object of points is about; nil for every other key.
  func segment(ofPoints key: String, size: Int) -> WALSegment? {
    guard key.hasPrefix(pointsPrefix), key.hasSuffix(".json"),
      let name = key.dropLast(5).split(separator: "/").last
    else { return nil }
    return WALSegment(name: name, size: size)
  }

  /// The segment that an object of WAL is, or is a piece of; nil for every other key.
  func segment(ofWAL key: String, size: Int) -> WALSegment? {
    guard key.hasPrefix(walPrefix), key.hasSuffix(".gz"),
      let name = key.split(separator: "/").last?.prefix(while: { $0 != "." })
    else { return nil }
    return WALSegment(name: name, size: size)
  }

  /// The base backup that an object belongs to; nil for every other key.
  func base(of key: String) -> BackupID? {
    guard key.hasPrefix(basePrefix) else { return nil }
    let name = key.dropFirst(basePrefix.count).prefix { $0 != "/" && $0 != "." }
    return BackupID(name)
  }
}
