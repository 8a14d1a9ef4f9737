/// Reads the fields of a protocol message in network byte order.
struct BigEndianReader {
  private let bytes: UnsafeRawBufferPointer
  private(set) var position = 0

  init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  var remaining: Int { bytes.count - position }

  mutating func byte() -> UInt8? {
    guard remaining >= 1 else { return nil }
    defer { position += 1 }
    return bytes[position]
  }

  mutating func int64() -> Int64? {
    guard remaining >= 8 else { return nil }
    defer { position += 8 }
    return Int64(bigEndian: bytes.loadUnaligned(fromByteOffset: position, as: Int64.self))
  }

  mutating func lsn() -> LSN? { int64().map { LSN(rawValue: UInt64(bitPattern: $0)) } }

  mutating func time() -> ServerTime? { int64().map { ServerTime(microseconds: $0) } }

  /// Text up to its zero byte.
  mutating func text() -> String? {
    guard let end = bytes[position...].firstIndex(of: 0) else { return nil }
    defer { position = end + 1 }
    return String(decoding: bytes[position..<end], as: UTF8.self)
  }

  /// Everything that is left.
  mutating func rest() -> UnsafeRawBufferPointer {
    defer { position = bytes.count }
    return UnsafeRawBufferPointer(rebasing: bytes[position...])
  }
}
