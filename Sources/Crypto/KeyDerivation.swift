import COpenSSL

/// Keys from other keys and from passphrases.
public enum KeyDerivation {
  /// HKDF-SHA256, RFC 5869: 32 bytes.
  public static func hkdf(secret: [UInt8], salt: [UInt8], info: String) throws -> [UInt8] {
    let extracted = try MessageAuthentication.hmacSHA256(
      key: salt.isEmpty ? [UInt8](repeating: 0, count: 32) : salt, secret)
    // 32 bytes are the first block of the expansion.
    return try MessageAuthentication.hmacSHA256(key: extracted, Array(info.utf8) + [1])
  }

  /// scrypt with r = 8 and p = 1, RFC 7914: 32 bytes. Takes 1 KiB of memory times N.
  ///
  /// - Parameter logN: the base-2 logarithm of N, from 1 to 24.
  public static func scrypt(passphrase: String, salt: [UInt8], logN: Int) throws -> [UInt8] {
    guard (1...24).contains(logN) else {
      throw CryptoError(.invalidParameter, "a work factor of \(logN)")
    }
    var result = [UInt8](repeating: 0, count: 32)
    let bytes = Array(passphrase.utf8CString.dropLast())
    let n = UInt64(1) << UInt64(logN)
    let status = EVP_PBE_scrypt(
      bytes, bytes.count, salt, salt.count, n, 8, 1, n * 1024 + (8 << 20), &result, result.count)
    guard status == 1 else { throw CryptoError.libcrypto("scrypt") }
    return result
  }
}
