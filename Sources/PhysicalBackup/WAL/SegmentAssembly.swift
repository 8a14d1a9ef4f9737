import ByteStream
import Gzip
import Postgres

/// The segment that is being received: gathers its bytes, hands parts and pieces to the uploader,
/// and notes its points.
final class SegmentAssembly {
  /// Bytes that are gathered before they are handed over: a whole segment of the usual size.
  static let largestChunk = 16 << 20
  /// Pieces of one segment before they are put together into one.
  static let mostPieces = 30

  let segment: WALSegment
  private let layout: ClusterLayout
  private let uploader: WALUploader
  private let compressor: MemberCompressor
  private let hidesText: Bool
  private var block: Block?
  /// Bytes of the segment that were taken.
  private(set) var filled = 0
  /// Bytes of the segment that were stored in pieces, or handed over to be.
  private var inPieces = 0
  private var pieces: [WALPiece] = []
  private var scanner: WALRecordScanner
  private(set) var points: WALPoints
  private var storedPoints: WALPoints?
  private var pointsStored = ContinuousClock.now

  init(
    _ segment: WALSegment, layout: ClusterLayout, uploader: WALUploader,
    compressor: MemberCompressor, hidesText: Bool
  ) {
    self.segment = segment
    self.hidesText = hidesText
    self.layout = layout
    self.uploader = uploader
    self.compressor = compressor
    scanner = WALRecordScanner(at: segment.start)
    points = WALPoints(segment)
  }

  /// The position behind what was taken.
  var position: LSN { segment.start + filled }
  var isComplete: Bool { filled == segment.size }
  private var chunkSize: Int { min(segment.size, Self.largestChunk) }
  private var chunkStart: Int { filled - (block?.count ?? 0) }

  /// Whether bytes can be taken now: false while all blocks are on their way to the store.
  func hasRoom() -> Bool {
    if block == nil { block = uploader.takeBlock() }
    return block != nil
  }

  /// Takes bytes after ``hasRoom()``; says how many, which may be fewer than were offered, up to
  /// the end of a part of the segment.
  func take(_ bytes: UnsafeRawBufferPointer) throws -> Int {
    guard let block else { return 0 }
    let count = min(bytes.count, chunkSize - block.count)
    let piece = UnsafeRawBufferPointer(rebasing: bytes[..<count])
    block.append(piece)
    filled += count
    scanner.take(piece) { points.note($0, hidesText: hidesText) }
    if block.count == chunkSize {
      // A large segment's part is durable only with the whole, so its pieces come first.
      if !isComplete { try storePiece() }
      uploader.add(
        .chunk(segment, block, isLast: isComplete, supersedes: isComplete ? pieces : []))
      self.block = nil
    }
    return count
  }

  /// Says which pieces the store has already; their bytes are to be taken next.
  func resume(_ stored: [WALPiece]) {
    pieces = stored
    inPieces = stored.last?.range.upperBound ?? 0
  }

  /// Says which pieces the store has already, that the whole segment is to take the place of;
  /// their bytes come again from the server, and are stored again.
  func replace(_ stored: [WALPiece]) { pieces = stored }

  /// Takes the server's clock: everything before ``position`` had arrived when it said `time`.
  func note(_ time: ServerTime) { points.clock = WALPoints.Pair(time: time, position: position) }

  /// Keeps what an earlier run noted of this segment and the scanner cannot find again.
  func keep(_ earlier: WALPoints) {
    if points.clock == nil { points.clock = earlier.clock }
    storedPoints = earlier
  }

  /// Hands over what is not yet in pieces.
  func storePiece() throws {
    guard filled > inPieces, let block, block.count > 0 else { return }
    let compacts = pieces.count >= Self.mostPieces
    let from = compacts ? chunkStart : max(inPieces, chunkStart)
    let text = UnsafeRawBufferPointer(rebasing: block.bytes[(from - chunkStart)...])
    let output = Block(capacity: max(4096, text.count / 4))
    try compressor.compress(text, into: output)
    let piece = WALPiece(segment: segment, range: from..<filled)
    let superseded =
      compacts ? pieces.filter { $0.range.lowerBound >= from && $0 != piece } : []
    uploader.add(.piece(piece, compressed: Array(output.bytes), supersedes: superseded))
    pieces.removeAll { superseded.contains($0) || $0 == piece }
    pieces.append(piece)
    inPieces = filled
  }

  /// Hands over the points when there is news: named ones and transactions at once, the clock
  /// alone once a minute.
  func storePoints(evenIfQuiet: Bool = false) throws {
    let isNews =
      storedPoints?.named != points.named
      || storedPoints?.lastTransaction != points.lastTransaction
      || storedPoints?.clock?.position != points.clock?.position
    let isDue = evenIfQuiet || ContinuousClock.now - pointsStored > .seconds(60)
    guard points != storedPoints, isNews || isDue else { return }
    uploader.add(.object(key: layout.pointsKey(segment), try points.encoded()))
    storedPoints = points
    pointsStored = .now
  }
}
