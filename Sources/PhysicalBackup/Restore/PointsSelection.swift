import ByteStream
import Postgres

/// Reads of what was noted in an archive as much as a purpose needs: an archive of a month may have
/// an object for each of a hundred thousand segments.
struct PointsSelection {
  /// Objects that are read before looking whether that is enough.
  private static let step = 64

  private let archive: WALArchive
  private let segments: [WALSegment]
  private let cancellation: Cancellation
  private var points: [WALSegment: WALPoints] = [:]

  init(_ archive: WALArchive, cancellation: Cancellation) throws {
    self.archive = archive
    self.cancellation = cancellation
    segments = try archive.segmentsWithPoints()
  }

  /// What was read, by timeline and position.
  var read: [WALPoints] { segments.compactMap { points[$0] } }

  mutating func readAll() throws { try read(segments) }

  /// The last of each stretch of WAL: enough to say until when it reaches.
  mutating func readEnds(of ranges: [WALListing.Range]) throws {
    try read(
      ranges.compactMap { range in
        segments.last {
          $0.timeline == range.timeline && $0.start < range.end && $0.end > range.start
        }
      })
  }

  /// What decides how a target is reached along a path: the result of planning is the same as with
  /// everything.
  mutating func read(for target: RecoveryTarget, along path: RecoveryPath) throws {
    switch target {
    // Found by name, wherever it is.
    case .restorePoint, .beforeMigration: try readAll()
    // Found in the WAL itself, or without any.
    case .latest, .transaction: break
    case .time(let time):
      // The newest base backup from before decides, and of what comes after it the first
      // transaction that is later.
      let base = path.bases.last { $0.endServerTime <= time && path.covered(from: $0) != nil }
      guard let base else { return }
      let own = along(path, from: base.startPosition)
      let isFound = try readUntil(own) { points in
        Self.transactions(points, path).contains {
          $0.time > time.unixMicroseconds && $0.lsn >= base.endPosition
        }
      }
      // Clocks go back now and then, so nothing else is sure.
      if !isFound { try readAll() }
    case .position(let position):
      // The transactions before it and behind it.
      let base = path.bases.last {
        $0.endPosition <= position && (path.covered(from: $0).map { $0 >= position } ?? false)
      }
      guard let base else { return }
      let own = along(path, from: base.startPosition)
      try readUntil(own.filter { $0.end > position }) { points in
        Self.transactions(points, path).contains { $0.lsn >= position }
      }
      try readUntil(own.filter { $0.start <= position }.reversed()) { points in
        Self.transactions(points, path).contains {
          $0.lsn < position && $0.lsn >= base.endPosition
        }
      }
    }
  }

  /// What tells of the time at a position.
  mutating func read(before position: LSN, along path: RecoveryPath) throws {
    try readUntil(along(path, from: .zero).filter { $0.start <= position }.reversed()) { points in
      Self.transactions(points, path).contains { $0.lsn < position }
    }
  }

  /// The segments along a path that begin or end behind a position, in order.
  private func along(_ path: RecoveryPath, from start: LSN) -> [WALSegment] {
    path.history.steps.flatMap { step in
      segments.filter {
        $0.timeline == step.timeline && $0.end > max(step.start, start)
          && $0.start <= step.end ?? LSN(rawValue: .max)
      }
    }
  }

  /// Reads a number at a time, in order, until one is found.
  ///
  /// - Returns: whether it was found.
  @discardableResult
  private mutating func readUntil(
    _ wanted: [WALSegment], _ isEnough: (WALPoints) -> Bool
  ) throws -> Bool {
    var rest = wanted[...]
    while !rest.isEmpty {
      let some = Array(rest.prefix(Self.step))
      rest = rest.dropFirst(some.count)
      try read(some)
      if some.contains(where: { points[$0].map(isEnough) ?? false }) { return true }
    }
    return false
  }

  private mutating func read(_ wanted: [WALSegment]) throws {
    let missing = wanted.filter { points[$0] == nil }
    let found = try archive.points(of: missing, cancellation: cancellation)
    for (segment, points) in zip(missing, found) { self.points[segment] = points }
  }

  /// Those that are on the path: a timeline may go on behind the place where the path leaves it.
  private static func transactions(_ points: WALPoints, _ path: RecoveryPath) -> [WALPoints.Pair] {
    let size = path.catalog.archive?.segmentSize ?? WALSegment.defaultSize
    let timeline = WALSegment(name: points.segment, size: size)?.timeline
    guard let step = path.history.steps.first(where: { $0.timeline == timeline }) else { return [] }
    return [points.firstTransaction, points.lastTransaction].compactMap { $0 }.filter {
      $0.lsn >= step.start && $0.lsn < step.end ?? LSN(rawValue: .max)
    }
  }
}
