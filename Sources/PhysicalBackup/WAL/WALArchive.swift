public import ByteStream
import Gzip
public import ObjectStore
public import Postgres
import Repository

/// The stored WAL of one cluster, to read.
public struct WALArchive: Sendable {
  public let store: any ObjectStore
  public let layout: ClusterLayout
  /// Bytes in a segment.
  public let segmentSize: Int

  init(_ store: any ObjectStore, _ layout: ClusterLayout, segmentSize: Int) {
    self.store = store
    self.layout = layout
    self.segmentSize = segmentSize
  }

  /// Opens an archive that exists.
  ///
  /// - Returns: nil when no WAL was ever stored there.
  public init?(_ store: any ObjectStore, _ layout: ClusterLayout) throws {
    let key = Self.factsKey(layout)
    let bytes: [UInt8]
    do { bytes = try store.readAll(key, limit: 1 << 16) } catch let error as ObjectStoreError {
      guard error.code == .notFound else { throw error }
      return nil
    }
    let facts = try StoredJSON.decode(
      ArchiveFacts.self, bytes, key: key, newest: ArchiveFacts.currentFormat)
    guard WALSegment.isSize(facts.segmentSize), facts.systemIdentifier == layout.systemIdentifier
    else { throw PhysicalBackupError(.damaged, "\(key) contradicts itself") }
    self.init(store, layout, segmentSize: facts.segmentSize)
  }

  static func factsKey(_ layout: ClusterLayout) -> String { layout.walPrefix + "archive.json" }

  /// Makes the archive known to readers, when it is not.
  static func establish(
    _ store: any ObjectStore, _ layout: ClusterLayout, segmentSize: Int, major: Int
  ) throws -> WALArchive {
    if let archive = try WALArchive(store, layout) {
      guard archive.segmentSize == segmentSize else {
        throw PhysicalBackupError(
          .wrongServer,
          "the archive in \(store.description) has WAL segments of "
            + "\(archive.segmentSize) bytes, and the server makes them of \(segmentSize)")
      }
      return archive
    }
    let facts = ArchiveFacts(
      systemIdentifier: layout.systemIdentifier, segmentSize: segmentSize, major: major)
    try store.put(factsKey(layout), try StoredJSON.encode(facts))
    return WALArchive(store, layout, segmentSize: segmentSize)
  }

  /// Lists what is stored: of one timeline, or of all.
  public func listing(
    timeline: UInt32? = nil, cancellation: Cancellation = Cancellation()
  ) throws -> WALListing {
    var listing = WALListing(segmentSize: segmentSize)
    let prefix = timeline.map { layout.walPrefix(timeline: $0) } ?? layout.walPrefix
    try store.list(prefix: prefix) { info in
      try cancellation.check()
      listing.add(info, layout: layout)
    }
    listing.finish()
    return listing
  }

  /// A timeline's history; timeline 1 has none, which is no error.
  ///
  /// - Returns: nil when its file is not stored.
  public func history(_ timeline: UInt32) throws -> TimelineHistory? {
    guard timeline > 1 else { return TimelineHistory(timeline: timeline) }
    do {
      let bytes = try store.readAll(layout.historyKey(timeline: timeline), limit: 1 << 22)
      return try TimelineHistory(timeline: timeline, file: bytes)
    } catch let error as ObjectStoreError where error.code == .notFound {
      return nil
    }
  }

  /// The bytes of a whole segment, in order, in pieces.
  ///
  /// - Throws: ``PhysicalBackupError/Code/damaged`` when it is not what was stored; what was
  ///   given before is then not to be used.
  public func readSegment(
    _ segment: WALSegment, cancellation: Cancellation,
    _ body: (UnsafeRawBufferPointer) throws -> Void
  ) throws {
    let key = layout.segmentKey(segment)
    let count = try readGzip(key, cancellation, body)
    guard count == segment.size else {
      throw PhysicalBackupError(
        .damaged,
        "\(key) in \(store.description) holds \(count) bytes of WAL, a segment has "
          + "\(segment.size)")
    }
  }

  /// The bytes of a piece, in order.
  public func readPiece(
    _ piece: WALPiece, cancellation: Cancellation,
    _ body: (UnsafeRawBufferPointer) throws -> Void
  ) throws {
    let key = layout.pieceKey(piece)
    let count = try readGzip(key, cancellation, body)
    guard count == piece.range.count else {
      throw PhysicalBackupError(
        .damaged,
        "\(key) in \(store.description) holds \(count) bytes of WAL, its name says "
          + "\(piece.range.count)")
    }
  }

  /// What is stored of a segment that is not whole, from its beginning on.
  func readChain(
    _ chain: [WALPiece], cancellation: Cancellation,
    _ body: (UnsafeRawBufferPointer) throws -> Void
  ) throws {
    var end = 0
    for piece in chain {
      // Pieces may overlap after a compaction that was killed.
      var skip = end - piece.range.lowerBound
      try readPiece(piece, cancellation: cancellation) { bytes in
        let passed = min(skip, bytes.count)
        skip -= passed
        if passed < bytes.count { try body(UnsafeRawBufferPointer(rebasing: bytes[passed...])) }
      }
      end = piece.range.upperBound
    }
  }

  private func readGzip(
    _ key: String, _ cancellation: Cancellation, _ body: (UnsafeRawBufferPointer) throws -> Void
  ) throws -> Int {
    // Segments compress to a few MiB; what is stored of one is in memory as a whole.
    let stored = try store.readAll(key, limit: 2 << 30, cancellation: cancellation)
    let buffer = Block(capacity: 256 << 10)
    var count = 0
    do {
      let reader = GzipReader(ArraySource(stored))
      while true {
        let produced = try reader.read(into: buffer.room)
        if produced == 0 { return count }
        buffer.advance(by: produced)
        count += produced
        try body(buffer.bytes)
        buffer.reset()
      }
    } catch let error as GzipError {
      throw PhysicalBackupError(
        .damaged, "\(key) in \(store.description) is damaged", cause: error)
    }
  }
}

extension WALArchive {
  /// What is stored of a segment, whole or from its beginning on, also while a receiver puts
  /// pieces together meanwhile.
  ///
  /// - Returns: the bytes that were given; 0 when nothing of it is stored.
  func readStored(
    _ segment: WALSegment, cancellation: Cancellation,
    _ body: (UnsafeRawBufferPointer) throws -> Void
  ) throws -> Int {
    var attempt = 1
    while true {
      do {
        try readSegment(segment, cancellation: cancellation, body)
        return segment.size
      } catch let error as ObjectStoreError where error.code == .notFound {}
      var listing = WALListing(segmentSize: segmentSize)
      let prefix = layout.walPrefix(timeline: segment.timeline) + segment.name
      try store.list(prefix: prefix) { listing.add($0, layout: layout) }
      listing.finish()
      if !listing.isWhole(segment) {
        let chain = listing.chain(segment)
        do {
          // Given at once: a piece may go while they are read.
          let bytes = Block(capacity: max(1, chain.last?.range.upperBound ?? 0))
          try readChain(chain, cancellation: cancellation) { bytes.append($0) }
          try body(bytes.bytes)
          return chain.last?.range.upperBound ?? 0
        } catch let error as ObjectStoreError where error.code == .notFound && attempt < 3 {}
      }
      attempt += 1
    }
  }
}
