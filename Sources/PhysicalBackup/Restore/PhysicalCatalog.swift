public import ByteStream
public import ObjectStore
public import Postgres
public import Repository

/// What a store holds of one cluster: base backups, WAL and points, at the moment of reading.
public struct PhysicalCatalog: Sendable {
  public let store: any ObjectStore
  public let layout: ClusterLayout
  /// By start, the oldest first.
  public let bases: [BaseManifest]
  /// Nil when no WAL was ever stored.
  public let archive: WALArchive?
  public let wal: WALListing?
  public private(set) var points: [WALPoints]
  public let histories: [UInt32: TimelineHistory]
  /// By base backup; of one that no drill has tried there is none.
  public let drills: [BackupID: DrillHistory]
  /// Manifests that could not be read, in words.
  public let problems: [String]

  /// How much of the points is read.
  public enum PointsScope: Hashable, Sendable {
    case all
    /// Where stretches of WAL end: enough to say until when they reach.
    case ends
    /// What planning a recovery to a target needs, and the ends; the timeline is nil for the
    /// newest.
    case target(RecoveryTarget, timeline: UInt32?)
    case none
  }

  /// The clusters that an environment has something of.
  public static func clusters(
    in store: any ObjectStore, environment: String
  ) throws -> [String] {
    let prefix = Layout.clustersPrefix(environment: environment)
    var names: [String] = []
    try store.list(prefix: prefix) { info in
      let component = info.key.dropFirst(prefix.count).prefix { $0 != "/" }
      guard let name = Layout.name(ofComponent: component), names.last != name else { return }
      names.append(name)
    }
    return names
  }

  /// Reads the catalog of one cluster.
  ///
  /// - Parameters:
  ///   - systemIdentifier: nil for the only one that there is.
  ///   - points: how much of what was noted is read: an object a segment.
  public init(
    _ store: any ObjectStore, environment: String, systemIdentifier: String? = nil,
    points scope: PointsScope = .all, cancellation: Cancellation = Cancellation()
  ) throws {
    let identifier: String
    if let systemIdentifier {
      identifier = systemIdentifier
    } else {
      let all = try Self.clusters(in: store, environment: environment)
      guard let only = all.first, all.count == 1 else {
        throw PhysicalBackupError(
          .nothingToRestore,
          all.isEmpty
            ? "there are no base backups in \(store.description), environment \(environment)"
            : "\(store.description) holds \(all.count) clusters in environment \(environment): "
              + all.joined(separator: ", ") + "; say which one with --system")
      }
      identifier = only
    }
    let layout = ClusterLayout(environment: environment, systemIdentifier: identifier)
    self.store = store
    self.layout = layout
    var bases: [BaseManifest] = []
    var problems: [String] = []
    var drills: [BackupID: DrillHistory] = [:]
    for info in try store.list(prefix: layout.basePrefix) {
      DrillHistory.note(info.key, layout, &drills)
      guard layout.base(ofManifest: info.key) != nil else { continue }
      do {
        let bytes = try store.readAll(
          info.key, limit: BaseManifest.largest, cancellation: cancellation)
        bases.append(try BaseManifest(decoding: bytes, key: info.key))
      } catch let error as PhysicalBackupError { problems.append("\(error)") }
    }
    self.bases = bases.sorted { $0.startPosition < $1.startPosition }
    self.drills = drills
    archive = try WALArchive(store, layout)
    let wal = try archive?.listing(cancellation: cancellation)
    self.wal = wal
    points = []
    var histories: [UInt32: TimelineHistory] = [1: TimelineHistory(timeline: 1)]
    for timeline in wal?.histories ?? [] {
      do { histories[timeline] = try archive?.history(timeline) } catch let error as PostgresError {
        problems.append("\(error)")
      }
    }
    self.histories = histories
    self.problems = problems
    try readPoints(scope, cancellation)
  }

  /// The base backups that a base backup is put together from: the whole one first, itself last.
  ///
  /// - Returns: nil when one of them is not there.
  public func chain(of base: BaseManifest) -> [BaseManifest]? {
    var chain = [base]
    while let parent = chain.last?.parent {
      // Each is older than what was made from it, so that there is no circle.
      guard let found = bases.first(where: { $0.id == parent }),
        let last = chain.last, found.startPosition < last.startPosition
      else { return nil }
      chain.append(found)
    }
    return chain.reversed()
  }

  private mutating func readPoints(_ scope: PointsScope, _ cancellation: Cancellation) throws {
    guard let archive, scope != .none else { return }
    var selection = try PointsSelection(archive, cancellation: cancellation)
    let ends = (wal?.timelines ?? []).flatMap { wal?.ranges(timeline: $0) ?? [] }
    switch scope {
    case .none: break
    case .all: try selection.readAll()
    case .ends: try selection.readEnds(of: ends)
    case .target(let target, let timeline):
      try selection.readEnds(of: ends)
      if let history = histories[timeline ?? newestTimeline] {
        try selection.read(for: target, along: RecoveryPath(self, history))
      }
    }
    points = selection.read
  }

  /// The catalog with what tells of the time at a position.
  func knowingTime(at position: LSN, along history: TimelineHistory) -> PhysicalCatalog {
    var catalog = self
    do {
      guard let archive else { return self }
      var selection = try PointsSelection(archive, cancellation: Cancellation())
      try selection.read(before: position, along: RecoveryPath(self, history))
      let known = Set(points)
      catalog.points += selection.read.filter { !known.contains($0) }
    } catch {
      // It is for a message that says more important things.
    }
    return catalog
  }

  /// The one that recovery follows unless another is asked for.
  var newestTimeline: UInt32 { timelines.last ?? 1 }

  /// All timelines that something is known of, in order.
  public var timelines: [UInt32] {
    Set(bases.map(\.timeline)).union(wal?.timelines ?? []).sorted()
  }

  /// Where WAL is missing behind the oldest base backup, by timeline and position.
  public func gaps() -> [WALGap] {
    var gaps: [WALGap] = []
    for timeline in wal?.timelines ?? [] {
      guard let history = histories[timeline] else { continue }
      gaps += RecoveryPath(self, history).gaps()
    }
    return gaps
  }

  /// Which moments can be reached, one line a timeline and stretch, for people.
  public func coverage() -> [RecoveryRange] {
    timelines.flatMap { timeline -> [RecoveryRange] in
      guard let history = histories[timeline] else { return [] }
      return RecoveryPath(self, history).ranges()
    }
  }
}
