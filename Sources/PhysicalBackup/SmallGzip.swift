import ByteStream
import Gzip

/// Gzip for what fits into memory.
enum SmallGzip {
  static func compress(_ bytes: [UInt8]) throws -> [UInt8] {
    let output = Block(capacity: max(4096, bytes.count / 4))
    try MemberCompressor(.fast).compress(bytes, into: output)
    return Array(output.bytes)
  }

  /// - Throws: ``PhysicalBackupError/Code/damaged`` when `bytes` are not one whole chain of
  ///   members.
  static func decompress(_ bytes: [UInt8], key: String) throws -> [UInt8] {
    do {
      let reader = GzipReader(ArraySource(bytes))
      var plain: [UInt8] = []
      let buffer = Block(capacity: 64 << 10)
      while true {
        let count = try reader.read(into: buffer.room)
        if count == 0 { return plain }
        buffer.advance(by: count)
        plain.append(contentsOf: buffer.bytes)
        buffer.reset()
      }
    } catch let error as GzipError {
      throw PhysicalBackupError(.damaged, "\(key) is damaged", cause: error)
    }
  }
}

/// Bytes in memory as a source.
final class ArraySource: ByteSource {
  private let bytes: [UInt8]
  private var position = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    let count = min(buffer.count, bytes.count - position)
    bytes.withUnsafeBytes { raw in
      buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: raw[position..<position + count]))
    }
    position += count
    return count
  }
}
