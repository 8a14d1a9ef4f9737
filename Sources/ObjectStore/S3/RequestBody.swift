import ByteStream

/// What a request sends. It can be read again, from any place, for retries.
protocol RequestBody: AnyObject {
  var count: Int { get }
  /// Fills `buffer` from `offset` on, with at least one byte; 0 at the end.
  func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws -> Int
}

extension RequestBody {
  /// Gives all bytes in order, in pieces.
  func forEachPiece(_ body: (UnsafeRawBufferPointer) throws -> Void) throws {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 17, alignment: 64)
    defer { buffer.deallocate() }
    var offset = 0
    while offset < count {
      let got = try read(at: offset, into: buffer)
      guard got > 0 else {
        throw ObjectStoreError(.truncated, "what was to be sent is shorter than it was")
      }
      try body(UnsafeRawBufferPointer(rebasing: buffer[..<got]))
      offset += got
    }
  }
}

/// Bytes in an array.
final class ArrayBody: RequestBody {
  private let bytes: [UInt8]

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  var count: Int { bytes.count }

  func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) -> Int {
    let count = min(buffer.count, bytes.count - offset)
    bytes.withUnsafeBytes { buffer.copyMemory(from: .init(rebasing: $0[offset..<offset + count])) }
    return count
  }

  func forEachPiece(_ body: (UnsafeRawBufferPointer) throws -> Void) throws {
    try bytes.withUnsafeBytes(body)
  }
}

/// Bytes in a block of a pool.
final class BlockBody: RequestBody {
  private let block: Block

  init(_ block: Block) { self.block = block }

  var count: Int { block.count }

  func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) -> Int {
    let count = min(buffer.count, block.count - offset)
    buffer.copyMemory(from: .init(rebasing: block.bytes[offset..<offset + count]))
    return count
  }

  func forEachPiece(_ body: (UnsafeRawBufferPointer) throws -> Void) throws {
    try body(block.bytes)
  }
}
