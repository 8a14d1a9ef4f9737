/// Bytes that are all in memory, as a stream.
public final class BytesSource: ByteSource {
  private let bytes: [UInt8]
  private var cursor = 0
  private let pieceSize: Int

  /// - Parameter pieceSize: the most that one read gives.
  public init(_ bytes: [UInt8], pieceSize: Int = .max) {
    self.bytes = bytes
    self.pieceSize = max(1, pieceSize)
  }

  public func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
    let count = min(buffer.count, bytes.count - cursor, pieceSize)
    guard count > 0 else { return 0 }
    buffer.copyBytes(from: bytes[cursor..<cursor + count])
    cursor += count
    return count
  }
}
