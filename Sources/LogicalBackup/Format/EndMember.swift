import Gzip

/// The last member of a logical backup file: empty, of fixed size, and told where the index is.
public enum EndMember {
  /// How many bytes it has.
  public static let length = 46
  /// `PI`: the offset of the first index member.
  static let indexOffsetField: UInt16 = 0x4950

  /// Its bytes.
  public static func bytes(indexOffset: Int) -> [UInt8] {
    MemberCompressor.empty(
      fields: [GzipExtraField(id: indexOffsetField, UInt64(indexOffset))])
  }

  /// The offset of the index when `bytes`, the last ``length`` of a file, are an end member; nil
  /// when they are something else.
  public static func indexOffset(_ bytes: [UInt8]) -> Int? {
    guard bytes.count == length, let header = try? GzipHeader.parse(bytes),
      let offset = header[indexOffsetField].flatMap({ Int(exactly: $0) }),
      Self.bytes(indexOffset: offset) == bytes
    else { return nil }
    return offset
  }
}
