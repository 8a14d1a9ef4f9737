import Postgres

/// One timeline with its ancestors: what is stored along it.
struct RecoveryPath {
  let catalog: PhysicalCatalog
  let history: TimelineHistory
  /// What was noted along the path, in order of position; of each timeline only its own stretch.
  let transactions: [WALPoints.Pair]
  let named: [WALPoints.Named]
  /// The latest clock of each stretch: when the server's clock said so, everything before the
  /// position had arrived.
  let clocks: [WALPoints.Pair]
  /// The latest time of a transaction's end in a segment, with the last position.
  let latest: [(time: Int64, position: LSN)]

  init(_ catalog: PhysicalCatalog, _ history: TimelineHistory) {
    self.catalog = catalog
    self.history = history
    var transactions: [WALPoints.Pair] = []
    var named: [WALPoints.Named] = []
    var clocks: [WALPoints.Pair] = []
    var latest: [(time: Int64, position: LSN)] = []
    let size = catalog.archive?.segmentSize ?? WALSegment.defaultSize
    for step in history.steps {
      func isOwn(_ position: LSN) -> Bool {
        position >= step.start && step.end.map { position < $0 } ?? true
      }
      for points in catalog.points {
        guard let segment = WALSegment(name: points.segment, size: size),
          segment.timeline == step.timeline
        else { continue }
        let pairs = [points.firstTransaction, points.lastTransaction].compactMap { $0 }
        let own = pairs.filter { isOwn($0.lsn) }
        transactions += own
        named += points.named.filter { isOwn($0.lsn) }
        if let clock = points.clock, isOwn(clock.lsn) || clock.lsn == step.end {
          clocks.append(clock)
        }
        if let time = points.latestTime, let last = own.last, last == pairs.last {
          latest.append((time, last.lsn))
        }
        for pair in own { latest.append((pair.time, pair.lsn)) }
      }
    }
    self.transactions = transactions.sorted { $0.lsn < $1.lsn }
    self.named = named.sorted { $0.lsn < $1.lsn }
    self.clocks = clocks.sorted { $0.lsn < $1.lsn }
    self.latest = latest
  }

  /// The base backups that lie on this path, and have all that they are made from.
  var bases: [BaseManifest] {
    catalog.bases.filter { base in
      guard history.contains(base.timeline), catalog.chain(of: base) != nil else { return false }
      return history.end(of: base.timeline).map { base.endPosition <= $0 } ?? true
    }
  }

  /// How far WAL reaches without a gap from a base backup on.
  ///
  /// - Returns: nil when not even the backup's own end is covered.
  func covered(from base: BaseManifest) -> LSN? {
    let own: LSN? = base.includesWAL ? base.endPosition : nil
    guard let wal = catalog.wal else { return own }
    let from = base.includesWAL ? base.endPosition : base.startPosition
    var number = from.rawValue / UInt64(wal.segmentSize)
    var reached = from
    while true {
      let end = available(number, wal)
      if end > reached { reached = end }
      if end < WALSegment(timeline: 1, number: number, size: wal.segmentSize).end { break }
      number += 1
    }
    if let own { return max(own, reached) }
    return reached >= base.endPosition ? reached : nil
  }

  /// The segments that recovery from a base to a position asks for, as they will be found.
  func segments(from base: BaseManifest, to end: LSN) -> [WALSegment] {
    guard let wal = catalog.wal else { return [] }
    var segments: [WALSegment] = []
    var number = base.startPosition.rawValue / UInt64(wal.segmentSize)
    while number * UInt64(wal.segmentSize) < end.rawValue {
      if let found = candidates(number, wal).first(where: { wal.available($0) > 0 }) {
        segments.append(found)
      }
      number += 1
    }
    return segments
  }

  /// The position up to which the segment of that number is stored, on whichever timeline of the
  /// path; its start when nothing is.
  private func available(_ number: UInt64, _ wal: WALListing) -> LSN {
    let start = LSN(rawValue: number * UInt64(wal.segmentSize))
    var reached = start
    for segment in candidates(number, wal) {
      let end = segment.start + wal.available(segment)
      let limit = history.end(of: segment.timeline) ?? LSN(rawValue: .max)
      reached = max(reached, min(end, limit))
    }
    return reached
  }

  /// Where WAL of this timeline's own stretch is missing, from the oldest base backup of the path
  /// on to the end of what is stored of it.
  func gaps() -> [WALGap] {
    guard let wal = catalog.wal, let last = wal.end(timeline: history.timeline),
      let oldest = bases.map(\.startPosition).min()
    else { return [] }
    let own = history.steps.last?.start ?? .zero
    let size = UInt64(wal.segmentSize)
    let start = max(oldest, own)
    var gaps: [WALGap] = []
    var number = start.rawValue / size
    while number * size < last.rawValue {
      let segment = WALSegment(timeline: 1, number: number, size: wal.segmentSize)
      let from = available(number, wal)
      if from < min(segment.end, last) {
        if let before = gaps.last, before.end == from {
          gaps[gaps.count - 1].end = segment.end
        } else {
          gaps.append(WALGap(timeline: history.timeline, start: from, end: segment.end))
        }
      }
      number += 1
    }
    return gaps
  }

  /// The names under which recovery looks for a segment: the newest timeline first.
  private func candidates(_ number: UInt64, _ wal: WALListing) -> [WALSegment] {
    let whole = WALSegment(timeline: 1, number: number, size: wal.segmentSize)
    return history.steps.reversed().compactMap { step in
      guard step.start < whole.end, step.end.map({ $0 > whole.start }) ?? true else { return nil }
      return WALSegment(timeline: step.timeline, number: number, size: wal.segmentSize)
    }
  }

  /// The last moment, by the server's clock, that the WAL up to a position tells of.
  func time(coveredUpTo end: LSN) -> ServerTime? {
    let transactions = latest.filter { $0.position < end }.map(\.time)
    let clocks = clocks.filter { $0.lsn <= end }.map(\.time)
    return (transactions + clocks).max().map { ServerTime(unixMicroseconds: $0) }
  }

  /// The stretches without a gap, each from its first base on.
  func ranges() -> [RecoveryRange] {
    var ranges: [RecoveryRange] = []
    for base in bases {
      guard let end = covered(from: base) else { continue }
      let endTime = max(time(coveredUpTo: end) ?? base.endServerTime, base.endServerTime)
      if let last = ranges.last, last.end >= base.startPosition {
        ranges[ranges.count - 1].end = max(last.end, end)
        ranges[ranges.count - 1].endTime = max(last.endTime ?? endTime, endTime)
      } else {
        ranges.append(
          RecoveryRange(
            timeline: history.timeline, base: base.id, start: base.endPosition, end: end,
            startTime: base.endServerTime, endTime: endTime))
      }
    }
    return ranges
  }
}
