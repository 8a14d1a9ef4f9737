import ByteStream
import ObjectStore
import Postgres

extension WALArchive {
  /// Where the stored WAL of a timeline ends.
  struct End: Hashable {
    var position: LSN
    /// What the last segment's beginning is stored in, when it is not whole.
    var pieces: [WALPiece]
  }

  /// Finds where the stored WAL of a timeline ends, as ``WALListing/end(timeline:)`` would say, with
  /// one segment of the listing in memory at a time.
  ///
  /// - Parameter hint: a position that the end is probably not before. A short listing is enough
  ///   when that is so; otherwise all of the timeline is listed.
  /// - Returns: nil when nothing of the timeline is stored.
  func end(timeline: UInt32, near hint: LSN?, cancellation: Cancellation) throws -> End? {
    if let hint {
      let holding = WALSegment(timeline: timeline, holding: hint, size: segmentSize)
      // At a segment's beginning it is the one before that is the last.
      let first = WALSegment(
        timeline: timeline, number: holding.number - min(holding.number, 1), size: segmentSize)
      // In front of the segment's objects, whose names have more behind its own.
      let key = layout.walPrefix(timeline: timeline) + first.name
      if let end = try end(timeline, after: key, cancellation) { return end }
    }
    return try end(timeline, after: layout.walPrefix(timeline: timeline), cancellation)
  }

  private func end(
    _ timeline: UInt32, after key: String, _ cancellation: Cancellation
  ) throws -> End? {
    var found: End?
    var current: WALSegment?
    var listing = WALListing(segmentSize: segmentSize)
    func settle() {
      guard let current else { return }
      listing.finish()
      let stored = listing.available(current)
      guard stored > 0 else { return }
      let end = End(
        position: current.start + stored,
        pieces: listing.isWhole(current) ? [] : listing.chain(current))
      if found.map({ $0.position < end.position }) ?? true { found = end }
    }
    try store.list(prefix: layout.walPrefix(timeline: timeline), after: key) { info in
      try cancellation.check()
      guard let segment = layout.segment(ofWAL: info.key, size: segmentSize),
        segment.timeline == timeline
      else { return }
      if segment != current {
        settle()
        current = segment
        listing = WALListing(segmentSize: segmentSize)
      }
      listing.add(info, layout: layout)
    }
    settle()
    return found
  }
}
