public import ByteStream

/// Decompresses a chain of gzip members, whoever made them, as one stream of bytes.
///
/// Every member's checksum and length are checked when its end is reached, so what was read
/// before is not proven until the stream has ended.
public final class GzipReader: ByteSource {
  private let source: any ByteSource
  private let inflate = Inflate()
  private let buffer: Block
  private var cursor = 0
  private var sourceIsAtEnd = false
  private var isInMember = false
  private var isAtEnd = false
  /// Where the current member begins in the compressed data, in bytes.
  public private(set) var memberOffset = 0
  /// How many members have been read to their end.
  public private(set) var members = 0
  /// Compressed bytes consumed so far.
  public private(set) var consumed = 0

  /// - Parameters:
  ///   - source: the compressed bytes.
  ///   - bufferSize: how many of them to hold in memory.
  public init(_ source: any ByteSource, bufferSize: Int = 128 << 10) {
    self.source = source
    buffer = Block(capacity: max(bufferSize, GzipHeader.maximumLength))
  }

  /// Fills `buffer` with decompressed bytes, at least one; 0 at the end of the last member.
  ///
  /// - Throws: ``GzipError``: `notGzip` when the source is no gzip data at all, `truncated` when
  ///   it ends inside a member, `trailingGarbage` when something else follows a member,
  ///   `corrupt` or `checksumMismatch` for damage; or what the source throws.
  public func read(into output: UnsafeMutableRawBufferPointer) throws -> Int {
    guard output.count > 0 else { return 0 }
    while !isAtEnd {
      if !isInMember {
        try readHeader()
        continue
      }
      if unread.isEmpty { try fill() }
      let (used, produced) = try located { try inflate.run(unread, output) }
      cursor += used
      consumed += used
      if inflate.isFinished {
        isInMember = false
        members += 1
      } else if produced == 0, used == 0, unread.isEmpty, sourceIsAtEnd {
        throw truncated
      }
      if produced > 0 { return produced }
    }
    return 0
  }

  private func readHeader() throws {
    memberOffset = consumed
    while true {
      let header: GzipHeader?
      do { header = try GzipHeader.parse(unread) } catch let error as GzipError {
        guard error.code == .notGzip, members > 0 else { throw error.at(memberOffset) }
        throw GzipError(
          .trailingGarbage,
          "After \(members) whole gzip members, at byte \(consumed), there is something else.")
      }
      if let header {
        cursor += header.length
        consumed += header.length
        inflate.start()
        isInMember = true
        return
      }
      if sourceIsAtEnd {
        guard unread.isEmpty, members > 0 else { throw truncated }
        isAtEnd = true
        return
      }
      try fill()
    }
  }

  private var unread: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: buffer.bytes[cursor...])
  }

  /// Reads more of the source behind what is still unread.
  private func fill() throws {
    guard !sourceIsAtEnd else { return }
    if cursor > 0 {
      buffer.removeFirst(cursor)
      cursor = 0
    }
    guard !buffer.room.isEmpty else {
      throw GzipError(.corrupt, "The gzip header has no end.").at(memberOffset)
    }
    let count = try source.read(into: buffer.room)
    if count == 0 { sourceIsAtEnd = true } else { buffer.advance(by: count) }
  }

  private var truncated: GzipError {
    GzipError(.truncated, "The gzip data end in the middle of a member.").at(memberOffset)
  }

  private func located<Result>(_ body: () throws -> Result) throws -> Result {
    do { return try body() } catch let error as GzipError { throw error.at(memberOffset) }
  }
}
