import ByteStream
import Crypto

/// Passes bytes on to another sink, and takes their SHA-256 and their number on the way.
final class HashingSink: ByteSink {
  private let base: any ByteSink
  private var digest: Digest
  private(set) var count = 0
  /// In hexadecimal, once ``finish()`` has returned.
  private(set) var sha256 = ""

  init(_ base: any ByteSink) throws {
    self.base = base
    digest = try Digest(.sha256)
  }

  func write(_ bytes: UnsafeRawBufferPointer) throws {
    try digest.update(bytes)
    try base.write(bytes)
    count += bytes.count
  }

  func finish() throws {
    sha256 = Hex.encode(try digest.finish())
    try base.finish()
  }

  func abort() { base.abort() }
}
