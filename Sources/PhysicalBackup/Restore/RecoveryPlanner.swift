import ObjectStore
import Postgres

/// Finds how to reach a target, or says why it cannot be reached and what can.
public struct RecoveryPlanner: Sendable {
  private let catalog: PhysicalCatalog
  private let path: RecoveryPath

  /// - Parameter timeline: nil for the newest that is stored.
  public init(_ catalog: PhysicalCatalog, timeline: UInt32? = nil) throws {
    self.catalog = catalog
    guard !catalog.bases.isEmpty else {
      throw PhysicalBackupError(
        .nothingToRestore,
        "there is no whole base backup of cluster "
          + "\(catalog.layout.systemIdentifier) in \(catalog.store.description)"
          + catalog.problems.map { "; " + $0 }.joined())
    }
    let wanted = timeline ?? catalog.newestTimeline
    guard let history = catalog.histories[wanted] else {
      throw PhysicalBackupError(
        .nothingToRestore, "the archive has no history file of timeline \(wanted)")
    }
    path = RecoveryPath(catalog, history)
  }

  /// - Throws: ``PhysicalBackupError/Code/outOfRange`` with what is covered, or `noSuchPoint`.
  public func plan(_ target: RecoveryTarget) throws -> RecoveryPlan {
    switch target {
    case .latest: try latest()
    case .time(let time): try plan(time)
    case .position(let position): try plan(target, before: position)
    case .transaction(let xid):
      try plan(target, at: try end(ofTransaction: xid), inclusive: true)
    case .restorePoint(let name):
      try plan(target, at: try point(name), inclusive: true)
    case .beforeMigration(let version):
      try plan(target, at: try migration(version), inclusive: false)
    }
  }

  private func latest() throws -> RecoveryPlan {
    for base in path.bases.reversed() {
      guard let covered = path.covered(from: base) else { continue }
      return make(.latest, base, .end, upTo: covered, covered)
    }
    throw outOfRange(.latest)
  }

  // MARK: Moments

  private func plan(_ time: ServerTime) throws -> RecoveryPlan {
    let target = RecoveryTarget.time(time)
    for base in path.bases.reversed() where base.endServerTime <= time {
      guard let covered = path.covered(from: base) else { continue }
      let later = path.latest.contains {
        $0.time > time.unixMicroseconds && $0.position >= base.endPosition && $0.position < covered
      }
      if later {
        // The first segment with a later transaction is the last that is needed.
        let first = path.transactions.first {
          $0.time > time.unixMicroseconds && $0.lsn >= base.endPosition
        }
        let size = catalog.wal?.segmentSize ?? WALSegment.defaultSize
        let end = first.map { WALSegment(timeline: 1, holding: $0.lsn, size: size).end } ?? covered
        return make(target, base, .time(time), upTo: min(end, covered), covered)
      }
      guard let known = path.time(coveredUpTo: covered), known >= time else { continue }
      var plan = quiet(target, base, before: covered, covered)
      plan.remarks.append(
        "no transaction ended between the last one that is recovered and "
          + RecoveryTime.text(time))
      return plan
    }
    throw outOfRange(target)
  }

  /// The state after the last transaction before a position: what a moment looks like after which
  /// nothing happened, and where PostgreSQL would find no record to stop at.
  private func quiet(
    _ target: RecoveryTarget, _ base: BaseManifest, before position: LSN, _ covered: LSN
  ) -> RecoveryPlan {
    let last = path.transactions.last { $0.lsn >= base.endPosition && $0.lsn < position }
    guard let last else {
      return make(target, base, .consistent, upTo: base.endPosition, covered)
    }
    return make(
      target, base, .position(last.lsn, inclusive: true), upTo: last.lsn + 1, covered)
  }

  // MARK: Positions

  private func plan(_ target: RecoveryTarget, before position: LSN) throws -> RecoveryPlan {
    for base in path.bases.reversed() where base.endPosition <= position {
      guard let covered = path.covered(from: base), covered >= position else { continue }
      // PostgreSQL stops at a record, so there has to be one at the position or behind it. Where
      // a segment begins, what was noted of the one before says as much, and nothing behind the
      // position is needed.
      let size = UInt64(catalog.wal?.segmentSize ?? WALSegment.defaultSize)
      if position.rawValue % size != 0,
        let next = path.transactions.first(where: { $0.lsn >= position && $0.lsn < covered })
      {
        return make(
          target, base, .position(position, inclusive: false), upTo: next.lsn + 1, covered)
      }
      return quiet(target, base, before: position, covered)
    }
    throw outOfRange(target)
  }

  private func plan(
    _ target: RecoveryTarget, at position: LSN, inclusive: Bool
  ) throws -> RecoveryPlan {
    for base in path.bases.reversed() where base.endPosition <= position {
      guard let covered = path.covered(from: base), covered > position else { continue }
      return make(
        target, base, .position(position, inclusive: inclusive), upTo: position + 1, covered)
    }
    throw outOfRange(target)
  }

  private func end(ofTransaction xid: UInt32) throws -> LSN {
    guard let position = try WALSearch(catalog, path).end(ofTransaction: xid) else {
      throw PhysicalBackupError(
        .noSuchPoint,
        "no transaction \(xid) ended in the stored WAL of timeline \(path.history.timeline)")
    }
    return position
  }

  private func point(_ name: String) throws -> LSN {
    let points = path.named.filter { $0.kind == .restorePoint }
    return try only(
      points.filter { $0.name == name }.map(Self.line), "restore point \"\(name)\"",
      points.map(Self.line))
  }

  private func migration(_ version: String) throws -> LSN {
    let attempts = MigrationPoint.attempts(path.named)
    return try only(
      attempts.filter { $0.version == version }.map(Self.line), "migration \(version)",
      attempts.map(Self.line))
  }

  private typealias Line = (position: LSN, text: String)

  private static func line(_ point: WALPoints.Named) -> Line {
    line(point.name, point.lsn, point.serverTime)
  }

  private static func line(_ point: MigrationPoint) -> Line {
    line(point.version, point.position, point.time)
  }

  private static func line(_ name: String, _ position: LSN, _ time: ServerTime?) -> Line {
    (position, name + (time.map { " at \(RecoveryTime.text($0))" } ?? "") + " (--lsn \(position))")
  }

  private func only(_ found: [Line], _ what: String, _ all: [Line]) throws -> LSN {
    if let first = found.first, found.count == 1 { return first.position }
    guard !found.isEmpty else {
      let known = all.suffix(10).map(\.text).joined(separator: ", ")
      throw PhysicalBackupError(
        .noSuchPoint,
        "the archive has no \(what) on timeline \(path.history.timeline)"
          + (known.isEmpty ? "" : "; it has \(known)"))
    }
    throw PhysicalBackupError(
      .noSuchPoint,
      "the archive has \(what) \(found.count) times; say which one is meant: "
        + found.map(\.text).joined(separator: ", "))
  }

  // MARK: Making a plan

  private func make(
    _ target: RecoveryTarget, _ base: BaseManifest, _ stop: RecoveryPlan.Stop, upTo end: LSN,
    _ covered: LSN
  ) -> RecoveryPlan {
    RecoveryPlan(
      target: target, base: base, timeline: path.history.timeline, stop: stop,
      segments: path.segments(from: base, to: max(end, base.endPosition)), covered: covered)
  }

  private func outOfRange(_ target: RecoveryTarget) -> PhysicalBackupError {
    let own = path.ranges().map(\.description)
    let others = catalog.coverage().filter { $0.timeline != path.history.timeline }
    var message = "\(target) cannot be reached on timeline \(path.history.timeline)"
    message += own.isEmpty ? ", which has no moment that can be" : "; what can be: "
    message += own.joined(separator: "; ")
    if !others.isEmpty {
      message +=
        "; on other timelines (--timeline): "
        + others.map(\.description).joined(separator: "; ")
    }
    return PhysicalBackupError(.outOfRange, message)
  }
}
