/// One subfield of a gzip header's extra field (RFC 1952, section 2.3.1.1).
public struct GzipExtraField: Hashable, Sendable {
  /// The two bytes that name it, SI1 in the low byte.
  public var id: UInt16
  public var data: [UInt8]

  public init(id: UInt16, data: [UInt8]) {
    self.id = id
    self.data = data
  }

  /// A subfield that holds one number, in eight bytes, least significant first.
  public init(id: UInt16, _ number: UInt64) {
    self.init(id: id, data: (0..<8).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) })
  }

  /// The number that a subfield of eight bytes holds; nil for another length.
  public var number: UInt64? {
    guard data.count == 8 else { return nil }
    return data.reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }

  /// `PK`: how long the member is, header and trailer included. pgkeep's own.
  public static let memberLength: UInt16 = 0x4B50
  /// How many bytes a subfield of one number takes in the header.
  static let numberLength = 12
}
