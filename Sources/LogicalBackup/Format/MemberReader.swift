public import ByteStream
import Gzip
import Postgres

/// Fetches members of a logical backup file and takes them apart. One thread at a time uses it.
public final class MemberReader {
  private let file: LogicalFileReader
  private let decompressor = MemberDecompressor()
  private let compressed = Block(capacity: 256 << 10)

  public init(_ file: LogicalFileReader) { self.file = file }

  /// Replaces what `text` holds by the text of `member`.
  ///
  /// - Throws: ``LogicalBackupError/Code/damaged`` when the bytes are not what the index and
  ///   their own checksum say; or what reading them throws.
  public func read(_ member: MemberRecord, into text: Block) throws {
    compressed.reset()
    compressed.reserve(member.length)
    try file.read(member.range) { compressed.append($0) }
    try decompress(compressed, of: member, into: text)
  }

  /// Replaces what `text` holds by the text of `member`, whose bytes somebody has fetched.
  ///
  /// - Throws: ``LogicalBackupError/Code/damaged``.
  func decompress(_ compressed: Block, of member: MemberRecord, into text: Block) throws {
    text.truncate(to: 0)
    do {
      try decompressor.decompress(compressed.bytes, into: text)
    } catch let error as GzipError {
      throw LogicalBackupError(
        .damaged,
        "\(file.name) is damaged: the member at byte \(member.offset) (\(member.kind.rawValue)) "
          + "cannot be decompressed.", object: file.name, cause: error)
    }
    guard text.count == member.textLength else {
      throw LogicalBackupError(
        .damaged,
        "\(file.name) is damaged: the member at byte \(member.offset) holds \(text.count) bytes "
          + "where the index says \(member.textLength).", object: file.name)
    }
  }

  /// The rows inside the text of a ``MemberKind/data`` member, between its COPY statement and
  /// `\.`, after checking that they are what the index says.
  ///
  /// - Parameter text: what ``read(_:into:)`` gave.
  /// - Returns: positions in `text`.
  public func rows(
    of member: MemberRecord, _ table: TableRecord, in text: Block
  ) throws -> Range<Int> {
    let head = table.copyStatement.bytes
    let end = TableRecord.copyEnd.bytes
    let bytes = text.bytes
    guard bytes.count >= head.count + end.count, bytes.starts(with: head),
      bytes.suffix(end.count).elementsEqual(end)
    else { throw mismatch(member, table, "is not the COPY statement that it should be") }
    let rows = head.count..<bytes.count - end.count
    var sum = TableSum()
    try sum.add(rows: UnsafeRawBufferPointer(rebasing: bytes[rows]))
    guard sum.rows == member.rows, sum.hash == member.hash else {
      throw mismatch(member, table, "holds other rows than the index says")
    }
    return rows
  }

  private func mismatch(
    _ member: MemberRecord, _ table: TableRecord, _ what: String
  ) -> LogicalBackupError {
    LogicalBackupError(
      .damaged,
      "\(file.name) is damaged: the member at byte \(member.offset), with rows of "
        + "\(table.qualifiedName), \(what).", object: "\(table.qualifiedName)")
  }
}
