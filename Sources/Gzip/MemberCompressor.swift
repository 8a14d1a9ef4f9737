public import ByteStream

/// Makes whole gzip members, one a call, each of which says its own length in its header.
///
/// Keeps what the compressor needs from one member to the next; one thread at a time uses it.
public final class MemberCompressor {
  private let engine: any DeflateEngine

  /// - Throws: ``GzipError/Code/failed`` for a level that there is not.
  public init(_ level: CompressionLevel) throws {
    switch level {
    case .fast: engine = FastDeflate()
    case .small(let level): engine = try SmallDeflate(level: level)
    }
  }

  /// Appends one member that holds `text` to `output`.
  ///
  /// Its header has no time and no operating system, so that the same text gives the same bytes,
  /// and an extra field with `PK` (the member's own length in bytes), then `fields`.
  ///
  /// - Parameter text: what to compress, shorter than 4 GiB.
  /// - Returns: the member's length in bytes.
  @discardableResult
  public func compress(
    _ text: UnsafeRawBufferPointer, fields: [GzipExtraField] = [], into output: Block
  ) throws -> Int {
    guard text.count <= UInt32.max else {
      throw GzipError(.failed, "\(text.count) bytes are too many for one gzip member.")
    }
    let start = output.count
    output.append(GzipHeader.bytes([GzipExtraField(id: GzipExtraField.memberLength, 0)] + fields))
    try engine.deflate(text, into: output)
    let checksum = CRC32.update(0, text)
    output.append(Self.trailer(checksum, UInt32(truncatingIfNeeded: text.count)))
    let length = output.count - start
    // PK's number stands behind ten bytes of header, two of length, four of subfield head.
    output.overwrite(at: start + 16, GzipExtraField(id: 0, UInt64(length)).data)
    return length
  }

  /// Appends one member that holds `text` to `output`.
  @discardableResult
  public func compress(
    _ text: [UInt8], fields: [GzipExtraField] = [], into output: Block
  ) throws -> Int {
    try text.withUnsafeBytes { try compress($0, fields: fields, into: output) }
  }

  /// A member that holds nothing: 22 + 12 bytes, and 12 for each further number.
  public static func empty(fields: [GzipExtraField]) -> [UInt8] {
    let length = 12 + GzipExtraField.numberLength + fields.reduce(0) { $0 + 4 + $1.data.count } + 10
    let own = GzipExtraField(id: GzipExtraField.memberLength, UInt64(length))
    return GzipHeader.bytes([own] + fields) + [3, 0] + trailer(0, 0)
  }

  private static func trailer(_ checksum: UInt32, _ length: UInt32) -> [UInt8] {
    let both = UInt64(length) << 32 | UInt64(checksum)
    return (0..<8).map { UInt8(truncatingIfNeeded: both >> (8 * $0)) }
  }
}

/// A compressor of raw deflate data (RFC 1951), whole in one call.
protocol DeflateEngine: AnyObject {
  /// Appends `text`, compressed, to `output`.
  func deflate(_ text: UnsafeRawBufferPointer, into output: Block) throws
}
