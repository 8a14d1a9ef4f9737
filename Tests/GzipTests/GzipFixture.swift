import ByteStream
import Gzip
import TestSupport

/// Makes, reads and damages gzip data for the tests.
enum GzipFixture {
  /// Texts that are hard on a compressor: nothing, one byte, rows, zeros, noise.
  static let texts: [(name: String, bytes: [UInt8])] = {
    var random = SeededGenerator(seed: 7)
    var rows: [UInt8] = []
    for number in 0..<60_000 {
      rows += Array("\(number)\tname \(number % 97)\t2026-11-22 02:00:00+00\t\\N\n".utf8)
    }
    return [
      ("empty", []), ("one byte", [10]), ("rows", rows),
      ("zeros", [UInt8](repeating: 0, count: 5_000_000)),
      ("noise", random.bytes(3_000_000)), ("short noise", random.bytes(100)),
    ]
  }()

  static let levels: [CompressionLevel] = [.fast, .small(6), .small(9)]

  static func member(
    _ text: [UInt8], _ level: CompressionLevel = .fast, fields: [GzipExtraField] = []
  ) throws -> [UInt8] {
    let block = Block(capacity: 4096)
    let length = try MemberCompressor(level).compress(text, fields: fields, into: block)
    let bytes = Array(block.bytes)
    guard bytes.count == length else { throw TestSupportError("\(length) is not the length") }
    return bytes
  }

  /// All that a reader gives.
  static func read(_ compressed: [UInt8], pieceSize: Int = .max) throws -> [UInt8] {
    let reader = GzipReader(BytesSource(compressed, pieceSize: pieceSize))
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 50_000, alignment: 16)
    defer { buffer.deallocate() }
    var text: [UInt8] = []
    while true {
      let count = try reader.read(into: buffer)
      guard count > 0 else { return text }
      text += buffer[..<count]
    }
  }

  static func decompress(_ member: [UInt8]) throws -> [UInt8] {
    let block = Block(capacity: 1024)
    try MemberDecompressor().decompress(member, into: block)
    return Array(block.bytes)
  }

  static func code(_ body: () throws -> Void) -> GzipError.Code? {
    do { try body() } catch let error as GzipError { return error.code } catch { return nil }
    return nil
  }
}
