import Glibc

/// The header of a gzip member (RFC 1952, section 2.3), read from or made into bytes.
public struct GzipHeader: Hashable, Sendable {
  /// How many bytes the header takes.
  public var length: Int
  public var extraFields: [GzipExtraField]

  /// The member's own length, header and trailer included, where the header tells it.
  public var memberLength: Int? {
    self[GzipExtraField.memberLength].flatMap { Int(exactly: $0) }
  }

  /// The number in the subfield of that name; nil when there is none.
  public subscript(id: UInt16) -> UInt64? { extraFields.first { $0.id == id }?.number }

  /// The most that a header may take before it is called corrupt: an extra field of the largest
  /// size, and a kilobyte each for name and comment.
  public static let maximumLength = 12 + 65_535 + 2 * 1024 + 2

  private static let hasHeaderChecksum: UInt8 = 2
  private static let hasExtra: UInt8 = 4
  private static let hasName: UInt8 = 8
  private static let hasComment: UInt8 = 16

  /// Reads a header from the beginning of `bytes`.
  ///
  /// - Returns: nil when `bytes` end before the header does.
  /// - Throws: ``GzipError`` when they are no gzip header, or a broken one.
  public static func parse(_ bytes: UnsafeRawBufferPointer) throws -> GzipHeader? {
    for (index, expected) in [0x1F, 0x8B].enumerated() where index < bytes.count {
      guard bytes[index] == expected else {
        throw GzipError(.notGzip, "These are no gzip data.")
      }
    }
    guard bytes.count >= 10 else { return nil }
    let flags = bytes[3]
    guard bytes[2] == 8, flags & 0xE0 == 0 else {
      throw GzipError(.corrupt, "The gzip header names an unknown method or flag.")
    }
    var cursor = 10
    var fields: [GzipExtraField] = []
    if flags & hasExtra != 0 {
      guard bytes.count >= cursor + 2 else { return nil }
      let length = Int(bytes[cursor]) | Int(bytes[cursor + 1]) << 8
      cursor += 2
      guard bytes.count >= cursor + length else { return nil }
      fields = try parseExtra(UnsafeRawBufferPointer(rebasing: bytes[cursor..<cursor + length]))
      cursor += length
    }
    for flag in [hasName, hasComment] where flags & flag != 0 {
      let limit = min(bytes.count, cursor + 1024)
      guard let end = bytes[cursor..<limit].firstIndex(of: 0) else {
        guard bytes.count < cursor + 1024 else {
          throw GzipError(.corrupt, "The gzip header holds a name without an end.")
        }
        return nil
      }
      cursor = end + 1
    }
    if flags & hasHeaderChecksum != 0 {
      guard bytes.count >= cursor + 2 else { return nil }
      let stored = UInt32(bytes[cursor]) | UInt32(bytes[cursor + 1]) << 8
      let real = CRC32.update(0, UnsafeRawBufferPointer(rebasing: bytes[..<cursor])) & 0xFFFF
      guard stored == real else {
        throw GzipError(.checksumMismatch, "The gzip header does not match its checksum.")
      }
      cursor += 2
    }
    return GzipHeader(length: cursor, extraFields: fields)
  }

  /// Reads a header from the beginning of `bytes`.
  public static func parse(_ bytes: [UInt8]) throws -> GzipHeader? {
    try bytes.withUnsafeBytes { try parse($0) }
  }

  private static func parseExtra(_ bytes: UnsafeRawBufferPointer) throws -> [GzipExtraField] {
    var fields: [GzipExtraField] = []
    var cursor = 0
    while cursor < bytes.count {
      guard bytes.count >= cursor + 4 else {
        // Some writers put bytes there that are no subfields; they are not ours to judge.
        return fields
      }
      let id = UInt16(bytes[cursor]) | UInt16(bytes[cursor + 1]) << 8
      let length = Int(bytes[cursor + 2]) | Int(bytes[cursor + 3]) << 8
      guard bytes.count >= cursor + 4 + length else { return fields }
      fields.append(
        GzipExtraField(id: id, data: Array(bytes[cursor + 4..<cursor + 4 + length])))
      cursor += 4 + length
    }
    return fields
  }

  /// The bytes of a header with these subfields, no time, no name and no operating system.
  static func bytes(_ fields: [GzipExtraField]) -> [UInt8] {
    let extraLength = fields.reduce(0) { $0 + 4 + $1.data.count }
    var header: [UInt8] = [0x1F, 0x8B, 8, hasExtra, 0, 0, 0, 0, 0, 255]
    header.append(UInt8(truncatingIfNeeded: extraLength))
    header.append(UInt8(truncatingIfNeeded: extraLength >> 8))
    for field in fields {
      header.append(UInt8(truncatingIfNeeded: field.id))
      header.append(UInt8(truncatingIfNeeded: field.id >> 8))
      header.append(UInt8(truncatingIfNeeded: field.data.count))
      header.append(UInt8(truncatingIfNeeded: field.data.count >> 8))
      header += field.data
    }
    return header
  }
}
