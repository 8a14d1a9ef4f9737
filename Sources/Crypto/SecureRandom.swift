import COpenSSL

/// Random bytes for keys, nonces and names that must not collide.
public enum SecureRandom {
  /// Gives `count` bytes from libcrypto's generator.
  public static func bytes(_ count: Int) throws -> [UInt8] {
    var result = [UInt8](repeating: 0, count: count)
    guard RAND_bytes(&result, Int32(count)) == 1 else {
      throw CryptoError.libcrypto("drawing random bytes")
    }
    return result
  }
}
