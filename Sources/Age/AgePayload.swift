import Crypto

/// The encrypted part: chunks of 64 KiB, each sealed with a nonce that holds its number and
/// whether it is the last one.
struct AgePayload: Sendable {
  static let chunkSize = 64 << 10
  static let sealedSize = chunkSize + ChaCha20Poly1305.tagLength
  static let nonceSize = 16

  let key: [UInt8]

  /// - Parameter nonce: 16 bytes, in front of the chunks.
  init(fileKey: [UInt8], nonce: [UInt8]) throws {
    key = try KeyDerivation.hkdf(secret: fileKey, salt: nonce, info: "payload")
  }

  /// Eleven bytes of the chunk's number, the highest first, and one for the last chunk.
  static func nonce(chunk: Int, isLast: Bool) -> [UInt8] {
    var nonce = [UInt8](repeating: 0, count: ChaCha20Poly1305.nonceLength)
    for i in 0..<8 { nonce[10 - i] = UInt8(truncatingIfNeeded: chunk >> (8 * i)) }
    nonce[11] = isLast ? 1 : 0
    return nonce
  }

  /// Bytes of plaintext in a payload of that many bytes; nil for a length that no payload has.
  static func plainSize(payload: Int) -> Int? {
    let body = payload
    guard body >= ChaCha20Poly1305.tagLength else { return nil }
    let (full, rest) = body.quotientAndRemainder(dividingBy: sealedSize)
    guard rest > 0 else { return full * chunkSize }
    // Only an empty file has an empty last chunk.
    guard rest > ChaCha20Poly1305.tagLength || full == 0 else { return nil }
    return full * chunkSize + rest - ChaCha20Poly1305.tagLength
  }
}
