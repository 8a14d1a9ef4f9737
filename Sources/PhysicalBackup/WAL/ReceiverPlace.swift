import ByteStream
import ObjectStore
import Postgres

/// Where a receiver goes on: the end of what the store holds, on the server's own history.
struct ReceiverPlace {
  var timeline: UInt32
  var position: LSN
  /// Pieces that hold the beginning of the segment at `position`.
  var pieces: [WALPiece] = []
  /// Whether they can be read: this host has no key to open what it has encrypted. The server
  /// then sends the segment from its beginning, which a slot keeps whole.
  var readsPieces = true
  /// History files that the archive lacks.
  var histories: [(key: String, bytes: [UInt8])] = []
  var warnings: [String] = []

  /// - Parameters:
  ///   - slot: the server's idea, for an archive that is still empty.
  ///   - readsPieces: false where what is stored of a segment cannot be read again.
  static func find(
    _ archive: WALArchive, _ connection: ReplicationConnection,
    system: ReplicationConnection.System, slot: ReplicationConnection.Slot, acceptsGap: Bool,
    readsPieces: Bool, cancellation: Cancellation
  ) throws -> ReceiverPlace {
    var place = ReceiverPlace(
      timeline: system.timeline, position: .zero, readsPieces: readsPieces)
    var history = TimelineHistory(timeline: system.timeline)
    if system.timeline > 1 {
      let bytes = try connection.timelineHistory(system.timeline)
      history = try TimelineHistory(timeline: system.timeline, file: bytes)
      try place.add(system.timeline, bytes, archive)
      for ancestor in history.ancestors where ancestor.timeline > 1 {
        // A server restored from a backup may not have its ancestors' files.
        guard let bytes = try? connection.timelineHistory(ancestor.timeline) else { continue }
        try place.add(ancestor.timeline, bytes, archive)
      }
    }
    let isFound = try place.resume(archive, history, slot.restartPosition, cancellation)
    if !isFound {
      place.timeline = slot.restartTimeline ?? system.timeline
      let from = slot.restartPosition ?? system.flushed
      place.position =
        WALSegment(timeline: place.timeline, holding: from, size: archive.segmentSize).start
    }
    guard let restart = slot.restartPosition, isFound else { return place }
    let kept = WALSegment(
      timeline: place.timeline, holding: restart, size: archive.segmentSize
    ).start
    if place.position < kept, acceptsGap {
      place.warnings.append(
        "the archive ends at \(place.position) and the slot begins at \(kept): moments in "
          + "between cannot be restored")
      place = ReceiverPlace(
        timeline: slot.restartTimeline ?? system.timeline, position: kept,
        histories: place.histories, warnings: place.warnings)
    }
    return place
  }

  private mutating func add(
    _ timeline: UInt32, _ bytes: [UInt8], _ archive: WALArchive
  ) throws {
    let key = archive.layout.historyKey(timeline: timeline)
    if try archive.store.info(key) == nil { histories.append((key, bytes)) }
  }

  /// Finds the end of what is stored on the newest timeline of the server's history that has any.
  ///
  /// - Parameter known: up to where the slot says that WAL is stored.
  /// - Returns: false when nothing of it is stored.
  private mutating func resume(
    _ archive: WALArchive, _ history: TimelineHistory, _ known: LSN?, _ cancellation: Cancellation
  ) throws -> Bool {
    for step in history.steps.reversed() {
      let hint = known.map { min($0, step.end ?? $0) }
      guard
        let stored = try archive.end(
          timeline: step.timeline, near: hint, cancellation: cancellation)
      else { continue }
      let end = stored.position
      if let left = step.end, end >= left {
        // The archive has all that belongs to the server's history, perhaps more that a failed
        // primary had written; the next timeline begins with a copy of this one's last segment.
        guard let next = history.steps.first(where: { $0.timeline > step.timeline }) else {
          continue
        }
        timeline = next.timeline
        position =
          WALSegment(timeline: next.timeline, holding: left, size: archive.segmentSize).start
        return true
      }
      timeline = step.timeline
      position = end
      let segment = WALSegment(timeline: timeline, holding: end, size: archive.segmentSize)
      if end > segment.start {
        pieces = stored.pieces
        if !readsPieces { position = segment.start }
      }
      return true
    }
    return false
  }

  /// Gives the current segment what the store has of it.
  func refill(
    _ target: SegmentAssembly, _ archive: WALArchive, _ uploader: WALUploader,
    _ cancellation: Cancellation
  ) throws {
    guard !pieces.isEmpty else { return }
    guard readsPieces else {
      target.replace(pieces)
      return keepPoints(target, archive)
    }
    target.resume(pieces)
    try archive.readChain(pieces, cancellation: cancellation) { bytes in
      var rest = bytes
      while !rest.isEmpty {
        while !target.hasRoom() {
          try uploader.check()
          try cancellation.check()
          Pause.milliseconds(20)
        }
        let count = try target.take(rest)
        rest = UnsafeRawBufferPointer(rebasing: rest[count...])
      }
    }
    keepPoints(target, archive)
  }

  private func keepPoints(_ target: SegmentAssembly, _ archive: WALArchive) {
    let key = archive.layout.pointsKey(target.segment)
    if let bytes = try? archive.store.readAll(key, limit: WALPoints.largest),
      let earlier = try? WALPoints(decoding: bytes, key: key)
    {
      target.keep(earlier)
    }
  }
}
