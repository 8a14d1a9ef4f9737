public import ByteStream
import Crypto

/// The plaintext of an encrypted stream, from its beginning to its end: for a pipe, of which no
/// range can be read.
///
/// No byte of a chunk is given out before the chunk has been found unchanged and in its place; that
/// the end is missing shows only there. Blocks as the source does; one thread uses it.
public final class AgeSource: ByteSource {
  private let base: any ByteSource
  private let payload: AgePayload
  private let cipher: ChaCha20Poly1305
  /// Bytes that have been read and not decrypted.
  private var sealed: [UInt8]
  private var isBaseAtEnd = false
  private var plain = [UInt8](repeating: 0, count: AgePayload.chunkSize)
  private var unread = 0..<0
  private var chunk = 0
  private var isDone = false

  /// Reads the header.
  ///
  /// - Parameter identities: tried in order.
  /// - Throws: ``AgeError`` when none of them opens it.
  public init(_ base: any ByteSource, identities: [AgeIdentity]) throws {
    self.base = base
    var bytes: [UInt8] = []
    var found: AgeHeader?
    while found == nil {
      guard try Self.readMore(base, &bytes) else { throw AgeFile.truncated }
      found = try AgeHeader(parsing: bytes)
    }
    guard let header = found else { throw AgeFile.truncated }
    let fileKey = try AgeFile.fileKey(header, identities)
    let start = header.length + AgePayload.nonceSize
    while bytes.count < start {
      guard try Self.readMore(base, &bytes) else { throw AgeFile.truncated }
    }
    payload = try AgePayload(fileKey: fileKey, nonce: Array(bytes[header.length..<start]))
    cipher = try ChaCha20Poly1305(key: payload.key)
    sealed = Array(bytes[start...])
  }

  public func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    while unread.isEmpty {
      if isDone { return 0 }
      try open()
    }
    let count = min(buffer.count, unread.count)
    plain.withUnsafeBytes { plain in
      let from = UnsafeRawBufferPointer(
        rebasing: plain[unread.lowerBound..<unread.lowerBound + count])
      buffer.copyMemory(from: from)
    }
    unread = unread.lowerBound + count..<unread.upperBound
    return count
  }

  /// Decrypts the next chunk. Whether it is the last shows by a byte behind it.
  private func open() throws {
    while sealed.count <= AgePayload.sealedSize, !isBaseAtEnd {
      isBaseAtEnd = try !Self.readMore(base, &sealed)
    }
    let isLast = sealed.count <= AgePayload.sealedSize
    let size = min(sealed.count, AgePayload.sealedSize)
    let count = size - ChaCha20Poly1305.tagLength
    // Only a file that holds nothing has an empty chunk.
    guard count > 0 || count == 0 && chunk == 0 else { throw AgeFile.truncated }
    do {
      try decrypt(size, isLast: isLast)
    } catch let error as CryptoError where error.code == .authenticationFailed {
      // Cut at a chunk's end, it opens as one that is not the last.
      if isLast, (try? decrypt(size, isLast: false)) != nil { throw AgeFile.truncated }
      throw AgeError(
        .chunkDamaged,
        "chunk \(chunk) of the encrypted file was changed, or stands in another's place")
    }
    sealed.removeFirst(size)
    unread = 0..<count
    chunk += 1
    isDone = isLast
  }

  private func decrypt(_ size: Int, isLast: Bool) throws {
    let nonce = AgePayload.nonce(chunk: chunk, isLast: isLast)
    try plain.withUnsafeMutableBytes { plain in
      let out = UnsafeMutableRawBufferPointer(
        rebasing: plain[..<(size - ChaCha20Poly1305.tagLength)])
      try sealed.withUnsafeBytes {
        try cipher.open(UnsafeRawBufferPointer(rebasing: $0[..<size]), nonce: nonce, into: out)
      }
    }
  }

  /// - Returns: false at the end.
  private static func readMore(_ base: any ByteSource, _ bytes: inout [UInt8]) throws -> Bool {
    var piece = [UInt8](repeating: 0, count: 64 << 10)
    let count = try piece.withUnsafeMutableBytes { try base.read(into: $0) }
    bytes += piece[..<count]
    return count > 0
  }
}
