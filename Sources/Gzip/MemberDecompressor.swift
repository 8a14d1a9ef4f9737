public import ByteStream

/// Takes whole gzip members apart, one a call, and checks all that a member says about itself.
///
/// Keeps what the decompressor needs from one member to the next; one thread at a time uses it.
public final class MemberDecompressor {
  private let inflate = Inflate()
  /// Deflate data never grow by more than this factor, so an announced length beyond it is a lie.
  private static let largestRatio = 1032

  public init() {}

  /// Appends the text of `member`, which is one whole member and nothing else, to `output`.
  ///
  /// - Returns: the member's header.
  /// - Throws: ``GzipError`` when anything is wrong; `output` is then as it was.
  @discardableResult
  public func decompress(
    _ member: UnsafeRawBufferPointer, into output: Block
  ) throws -> GzipHeader {
    let start = output.count
    do {
      return try append(member, output, start)
    } catch {
      output.truncate(to: start)
      throw error
    }
  }

  /// Appends the text of `member` to `output`.
  @discardableResult
  public func decompress(_ member: [UInt8], into output: Block) throws -> GzipHeader {
    try member.withUnsafeBytes { try decompress($0, into: output) }
  }

  private func append(
    _ member: UnsafeRawBufferPointer, _ output: Block, _ start: Int
  ) throws -> GzipHeader {
    guard let header = try GzipHeader.parse(member), member.count >= header.length + 10 else {
      throw Self.truncated
    }
    if let length = header.memberLength, length != member.count {
      throw GzipError(
        length > member.count ? .truncated : .lengthMismatch,
        "The gzip member says that it has \(length) bytes, and there are \(member.count).")
    }
    let announced = member.suffix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
    guard announced <= (member.count + 1) * Self.largestRatio else {
      throw GzipError(.lengthMismatch, "The gzip member announces an impossible length.")
    }
    output.reserve(announced + 1)
    inflate.start()
    var rest = UnsafeRawBufferPointer(rebasing: member[header.length...])
    while !inflate.isFinished {
      if output.room.isEmpty { output.reserve(65_536) }
      let (consumed, produced) = try inflate.run(rest, output.room)
      output.advance(by: produced)
      rest = UnsafeRawBufferPointer(rebasing: rest[consumed...])
      if rest.isEmpty, produced == 0, !inflate.isFinished { throw Self.truncated }
    }
    guard rest.isEmpty else {
      throw GzipError(
        .lengthMismatch, "Behind the end of the gzip member there are \(rest.count) bytes.")
    }
    guard output.count - start == announced else {
      throw GzipError(
        .lengthMismatch,
        "The gzip member announces \(announced) bytes and holds \(output.count - start).")
    }
    return header
  }

  private static let truncated = GzipError(
    .truncated, "The gzip data end in the middle of a member.")
}
