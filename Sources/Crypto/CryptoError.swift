import COpenSSL

/// What a cryptographic operation failed with. Never holds keys or plaintext.
public struct CryptoError: Error, Hashable, Sendable, CustomStringConvertible {
  public enum Code: String, Hashable, Sendable {
    /// libcrypto does not offer the algorithm, for example MD5 in FIPS mode.
    case unavailable
    /// Authenticated data were changed, or the key is not the one that they were sealed with.
    case authenticationFailed
    /// A key, nonce or parameter has the wrong length or form.
    case invalidParameter
    /// libcrypto failed for a reason of its own, for example memory.
    case failed
  }

  public let code: Code
  /// What failed, in words.
  public let message: String

  public init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  public var description: String { message }

  /// The error for a libcrypto call that failed, with libcrypto's own reason.
  static func libcrypto(_ what: String, _ code: Code = .failed) -> CryptoError {
    var text = [CChar](repeating: 0, count: 256)
    let number = ERR_get_error()
    ERR_clear_error()
    guard number != 0 else { return CryptoError(code, "libcrypto: \(what) failed") }
    ERR_error_string_n(number, &text, text.count)
    let reason = String(
      decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return CryptoError(code, "libcrypto: \(what) failed: \(reason)")
  }
}
