import COpenSSL

/// HMAC, RFC 2104.
public enum MessageAuthentication {
  /// HMAC-SHA256 of `message` under `key`: 32 bytes.
  public static func hmacSHA256(key: [UInt8], _ message: [UInt8]) throws -> [UInt8] {
    var result = [UInt8](repeating: 0, count: 32)
    var length: UInt32 = 0
    let made = HMAC(
      EVP_sha256(), key, Int32(key.count), message, message.count, &result, &length)
    guard made != nil, length == 32 else { throw CryptoError.libcrypto("HMAC-SHA256") }
    return result
  }

  /// Whether two codes are the same, in a time that does not tell where they differ.
  public static func areEqual(_ a: [UInt8], _ b: [UInt8]) -> Bool {
    guard a.count == b.count else { return false }
    var difference: UInt8 = 0
    for i in a.indices { difference |= a[i] ^ b[i] }
    return difference == 0
  }
}
