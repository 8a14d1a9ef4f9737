import ByteStream

/// A stream whose beginning was looked at, from its beginning again.
final class PeekedSource: ByteSource {
  /// The first bytes; fewer than asked for only where there are no more.
  let prefix: [UInt8]
  private let source: any ByteSource
  private var given = 0

  init(_ source: any ByteSource, count: Int) throws {
    self.source = source
    var bytes = [UInt8](repeating: 0, count: count)
    var filled = 0
    while filled < count {
      let got = try bytes.withUnsafeMutableBytes { buffer in
        try source.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[filled...]))
      }
      guard got > 0 else { break }
      filled += got
    }
    prefix = Array(bytes[..<filled])
  }

  func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    guard given < prefix.count else { return try source.read(into: buffer) }
    let piece = prefix[given...].prefix(buffer.count)
    buffer.copyBytes(from: piece)
    given += piece.count
    return piece.count
  }
}
