public import ObjectStore
import Postgres
import Repository

/// What would be kept of a cluster's base backups and WAL, and what deleted, and why: a pure
/// function of a listing and a clock.
///
/// Retention counts a window: every moment of the last so many days stays restorable. That needs
/// the newest base backup from before the window, all later ones, and all WAL since; of incremental
/// base backups also those that they hold the changes since.
public struct PhysicalRetentionPlan: Sendable {
  public enum Kind: String, Hashable, Sendable {
    case base
    case wal
    case leftover
    case unfinishedWrite = "unfinished-write"
  }

  public struct Line: Hashable, Sendable {
    public var kind: Kind
    /// The base backup's ID, the WAL's positions, or the leftover's key.
    public var name: String
    public var objects: Int
    /// Bytes as stored.
    public var bytes: Int
    public var isDeleted: Bool
    /// Why, in words.
    public var reason: String
    /// In the order in which they go.
    var keys: [String] = []
    var write: UnfinishedWrite?
  }

  public let systemIdentifier: String
  /// Base backups oldest first, then WAL, then what interrupted runs left.
  public let lines: [Line]
  /// What somebody should look at, in words.
  public let warnings: [String]
  /// The base backups that stay.
  let kept: [BaseManifest]
  /// Marks of readers that count no more.
  let staleMarks: [ClusterMark]
  /// The moment that ages were reckoned at.
  let now: UTCTime

  /// In the order in which they go: of base backups the newest first, which others may be made from
  /// but not it from them.
  public var deletions: [Line] {
    let all = lines.filter(\.isDeleted)
    return all.filter { $0.kind == .base }.reversed() + all.filter { $0.kind != .base }
  }

  /// Decides about everything of one cluster.
  ///
  /// Never deleted, whatever the window: the newest base backup that can be restored, and the WAL
  /// since it; a base backup that somebody reads, likewise; anything, while somebody reads all of
  /// it, while a manifest or a timeline's history cannot be read, or when nothing was stored in the
  /// whole window: then the receiver has stopped, or a clock has jumped.
  ///
  /// - Parameters:
  ///   - days: how many days' moments stay restorable; 0 keeps the newest base backup and what
  ///     came after it.
  ///   - now: the store's clock.
  /// - Throws: `RepositoryError.Code.clock` when something is from the future.
  public init(_ inventory: PhysicalInventory, days: Int, now: UTCTime) throws {
    let catalog = inventory.catalog
    let windowStart = now.adding(days: -days)
    systemIdentifier = catalog.layout.systemIdentifier
    if let newest = inventory.newest, newest > now.adding(seconds: RetentionPlan.clockTolerance) {
      throw RepositoryError(
        .clock,
        "cluster \(systemIdentifier) has something of \(newest), which is in the future by the "
          + "store's clock (\(now)): a clock has jumped; nothing is deleted")
    }
    let marks = inventory.marks.filter { $0.mark.holds(at: now) }
    staleMarks = inventory.marks.filter { !$0.mark.holds(at: now) }
    self.now = now
    let hold = Self.hold(inventory, marks, windowStart, days)
    var reasons: [BackupID: String] = [:]
    for timeline in catalog.timelines {
      guard let history = catalog.histories[timeline] else { continue }
      let path = RecoveryPath(catalog, history)
      guard Self.isAlive(path, timeline, inventory, since: windowStart) else { continue }
      Self.keep(path, inventory, windowStart, &reasons)
    }
    // Whatever became of its timeline: there is always something to restore.
    if let newest = Self.newest(inventory) {
      reasons[newest.id] = reasons[newest.id] ?? "the newest base backup that can be restored"
    }
    for base in marks.compactMap(\.base) { reasons[base] = reasons[base] ?? "somebody reads it" }
    // What a base backup that stays is made from.
    for base in catalog.bases.reversed() where reasons[base.id] != nil {
      guard let parent = base.parent else { continue }
      reasons[parent] = reasons[parent] ?? "\(base.id) holds the changes since it"
    }
    var lines: [Line] = []
    for base in catalog.bases {
      let reason = reasons[base.id] ?? hold
      let objects = Self.manifestFirst(inventory, base.id)
      lines.append(
        Line(
          kind: .base, name: "\(base.id)", objects: objects.count,
          bytes: objects.reduce(0) { $0 + $1.size }, isDeleted: reason == nil,
          reason: reason ?? "no moment of the last \(days) days needs it",
          keys: objects.map(\.key)))
    }
    kept = catalog.bases.filter { reasons[$0.id] != nil || hold != nil }
    lines += Self.wal(inventory, kept, hold)
    lines += Self.leftovers(inventory, Set(marks.compactMap(\.base)), now)
    self.lines = lines
    warnings =
      hold.map { ["nothing of cluster \(catalog.layout.systemIdentifier) is deleted: \($0)"] } ?? []
  }

  /// Why nothing may go; nil when something may.
  private static func hold(
    _ inventory: PhysicalInventory, _ marks: [ClusterMark], _ windowStart: UTCTime, _ days: Int
  ) -> String? {
    let catalog = inventory.catalog
    if marks.contains(where: { $0.base == nil }) { return "somebody reads all of it" }
    // Nobody knows which WAL it needs.
    let known = Set(catalog.bases.map(\.id))
    if let base = marks.compactMap(\.base).first(where: { !known.contains($0) }) {
      return "somebody reads the base backup \(base), which has no manifest any more"
    }
    if let problem = catalog.problems.first { return "\(problem)" }
    if let timeline = catalog.timelines.first(where: { catalog.histories[$0] == nil }) {
      return "the archive has no history file of timeline \(timeline)"
    }
    if days > 0, let newest = inventory.newest, newest < windowStart {
      return "nothing was stored since \(newest), that is for more than \(days) days"
    }
    return nil
  }

  private static func newest(_ inventory: PhysicalInventory) -> BaseManifest? {
    let catalog = inventory.catalog
    return catalog.bases.filter { base in
      guard let history = catalog.histories[base.timeline] else { return false }
      return RecoveryPath(catalog, history).covered(from: base) != nil
    }.max { inventory.time($0) < inventory.time($1) }
  }

  /// Whether a timeline has moments in the window. The newest one always counts.
  private static func isAlive(
    _ path: RecoveryPath, _ timeline: UInt32, _ inventory: PhysicalInventory,
    since start: UTCTime
  ) -> Bool {
    timeline == inventory.catalog.timelines.last
      || inventory.wal.contains { $0.segment.timeline == timeline && $0.info.modified >= start }
      || path.bases.contains { $0.timeline == timeline && inventory.time($0) >= start }
  }

  private static func keep(
    _ path: RecoveryPath, _ inventory: PhysicalInventory, _ windowStart: UTCTime,
    _ reasons: inout [BackupID: String]
  ) {
    // One whose own end is not covered by WAL can be restored to nothing.
    let anchor = path.bases.last {
      inventory.time($0) <= windowStart && path.covered(from: $0) != nil
    }
    let newest = path.bases.last { path.covered(from: $0) != nil }
    for base in path.bases {
      if let newest, base.startPosition > newest.startPosition {
        // The receiver may be on its way with it.
        reasons[base.id] = "newer than all that can be restored; its WAL is not all there"
      } else if base.id == newest?.id {
        reasons[base.id] = "the newest base backup of timeline \(path.history.timeline)"
      } else if base.id == anchor?.id {
        reasons[base.id] = reasons[base.id] ?? "the moments from the window's start on need it"
      } else if inventory.time(base) > windowStart {
        reasons[base.id] = reasons[base.id] ?? "younger than the window's start"
      } else if anchor == nil {
        reasons[base.id] = reasons[base.id] ?? "there is none that could take its place"
      }
    }
  }

  private static func manifestFirst(
    _ inventory: PhysicalInventory, _ id: BackupID
  ) -> [ObjectInfo] {
    let key = inventory.catalog.layout.manifestKey(id)
    let objects = inventory.bases[id] ?? []
    return objects.filter { $0.key == key } + objects.filter { $0.key != key }
  }

  /// WAL goes up to the segment in which the oldest base backup that stays begins.
  private static func wal(
    _ inventory: PhysicalInventory, _ kept: [BaseManifest], _ hold: String?
  ) -> [Line] {
    guard let size = inventory.catalog.archive?.segmentSize, !inventory.wal.isEmpty else {
      return []
    }
    // Without a base backup the first one may be under way.
    let first = kept.map { $0.startPosition.rawValue / UInt64(size) }.min() ?? 0
    let cut = hold == nil ? first : 0
    let position = LSN(rawValue: cut * UInt64(size))
    func line(_ isDeleted: Bool, _ name: String, _ reason: String) -> Line? {
      func isMeant(_ object: PhysicalInventory.SegmentObject) -> Bool {
        (object.segment.number < cut) == isDeleted
      }
      let wal = inventory.wal.filter(isMeant)
      guard !wal.isEmpty else { return nil }
      // Points never tell of WAL that is not there: they go first.
      let points = inventory.points.filter(isMeant)
      return Line(
        kind: .wal, name: name, objects: wal.count + points.count,
        bytes: (wal + points).reduce(0) { $0 + $1.info.size }, isDeleted: isDeleted,
        reason: reason, keys: (points + wal).map(\.info.key))
    }
    return [
      line(true, "WAL before \(position)", "no base backup that stays needs it"),
      line(
        false, "WAL from \(position)",
        hold ?? (kept.isEmpty ? "there is no base backup yet" : "the base backups need it")),
    ].compactMap { $0 }
  }

  private static func leftovers(
    _ inventory: PhysicalInventory, _ read: Set<BackupID>, _ now: UTCTime
  ) -> [Line] {
    let limit = now.adding(days: -RetentionPolicy.leftoverDays)
    func line(_ kind: Kind, _ info: ObjectInfo, _ what: String) -> Line {
      let isDeleted = info.modified < limit
      return Line(
        kind: kind, name: info.key, objects: 1, bytes: info.size, isDeleted: isDeleted,
        reason: isDeleted
          ? what
          : "\(what), less than \(RetentionPolicy.leftoverDays) days old: somebody may be at it",
        keys: [info.key])
    }
    let layout = inventory.catalog.layout
    var lines: [Line] = []
    for (id, objects) in inventory.bases.sorted(by: { $0.key < $1.key })
    where !read.contains(id) && !objects.contains(where: { $0.key == layout.manifestKey(id) }) {
      lines += objects.map { line(.leftover, $0, "of a base backup that was not finished") }
    }
    let whole = inventory.catalog.wal
    for object in inventory.wal
    where object.isPiece && whole?.isWhole(object.segment) == true {
      lines.append(line(.leftover, object.info, "a piece of a segment that is there whole"))
    }
    lines += inventory.unfinished.map { write in
      var it = line(
        .unfinishedWrite, ObjectInfo(key: write.key, size: 0, modified: write.started),
        "an unfinished write")
      it.write = write
      it.keys = []
      return it
    }
    return lines
  }
}
