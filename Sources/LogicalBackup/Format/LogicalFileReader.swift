public import ByteStream
import Gzip

/// Reads a logical backup file by ranges of bytes: its index from the end, and then whichever
/// members are wanted.
///
/// May be used from several threads at once, each with a ``MemberReader`` of its own.
public final class LogicalFileReader: Sendable {
  /// Gives the bytes of a range in order, in pieces; blocks. Throws when there are fewer.
  public typealias RangedRead =
    @Sendable (Range<Int>, (UnsafeRawBufferPointer) throws -> Void) throws -> Void

  /// What messages call it.
  public let name: String
  /// Its length in bytes, before encryption.
  public let size: Int
  private let readRange: RangedRead

  /// - Parameters:
  ///   - name: what messages call it.
  ///   - size: its length in bytes, before encryption.
  ///   - read: reads a range of those bytes: of a file, an object, or through decryption.
  public init(name: String, size: Int, read: @escaping RangedRead) {
    self.name = name
    self.size = size
    readRange = read
  }

  /// What the file is. Only ``LogicalFileKind/pgkeep`` has an index; ``stream(pieceSize:)`` is for
  /// the others.
  public func kind() throws -> LogicalFileKind {
    LogicalFileKind(prefix: try bytes(0..<min(size, LogicalFileKind.prefixLength)))
  }

  /// Finds the index from the file's end, reads it and checks that it fits together.
  ///
  /// - Throws: ``LogicalBackupError``: `notABackup` when the file is something else, `truncated`
  ///   when it has lost its end, `damaged` when the index was changed, `newerFormat`.
  public func readIndex() throws -> LogicalIndex {
    // The index of most backups comes along with the end in one request.
    let start = max(0, size - (64 << 10))
    let end = try bytes(start..<size)
    guard let offset = EndMember.indexOffset(Array(end.suffix(EndMember.length))),
      offset < size - EndMember.length
    else { throw try withoutEnd() }
    let compressed = Spool()
    let indexEnd = size - EndMember.length
    if offset < start {
      try read(offset..<start) { try compressed.append($0) }
    }
    let rest = end[max(0, offset - start)..<end.count - EndMember.length]
    try compressed.append(Array(rest))
    guard compressed.count == indexEnd - offset else { throw truncated }
    do { return try LogicalIndex(compressed, offset: offset) } catch var error
      as LogicalBackupError
    {
      error.message = "\(name): \(error.message)"
      error.object = name
      throw error
    }
  }

  /// The whole file from its beginning, as a stream, for what has no index. Each read of the
  /// stream that finds its buffer empty reads `pieceSize` bytes of the file at once.
  public func stream(pieceSize: Int = 4 << 20) -> any ByteSource {
    RangeStream(self, pieceSize: pieceSize)
  }

  /// Reads bytes of the file.
  public func read(
    _ range: Range<Int>, _ body: (UnsafeRawBufferPointer) throws -> Void
  ) throws {
    guard !range.isEmpty else { return }
    try readRange(range, body)
  }

  private func bytes(_ range: Range<Int>) throws -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(range.count)
    try read(range) { bytes.append(contentsOf: $0) }
    guard bytes.count == range.count else { throw truncated }
    return bytes
  }

  /// Why there is no end member.
  private func withoutEnd() throws -> LogicalBackupError {
    guard try kind() != .pgkeep else { return truncated }
    return LogicalBackupError(
      .notABackup, "\(name) is no backup of pgkeep's, so it has no index.", object: name)
  }

  private var truncated: LogicalBackupError {
    LogicalBackupError(
      .truncated,
      "\(name) does not end as a whole backup does: it was cut short, or something was appended. "
        + "Take another backup.", object: name)
  }
}

/// A file's bytes in order, fetched piece after piece.
private final class RangeStream: ByteSource {
  private let file: LogicalFileReader
  private let piece: Block
  private var cursor = 0
  private var offset = 0

  init(_ file: LogicalFileReader, pieceSize: Int) {
    self.file = file
    piece = Block(capacity: max(1, pieceSize))
  }

  func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    if cursor == piece.count {
      piece.reset()
      cursor = 0
      let end = min(file.size, offset + piece.capacity)
      try file.read(offset..<end) { piece.append($0) }
      offset = end
    }
    let count = min(buffer.count, piece.count - cursor)
    buffer.copyBytes(from: piece.bytes[cursor..<cursor + count])
    cursor += count
    return count
  }
}
