import COpenSSL

/// ChaCha20-Poly1305, RFC 8439: seals with one key and a nonce that never repeats.
///
/// One owner at a time: it is not safe to use from two threads.
public final class ChaCha20Poly1305 {
  public static let keyLength = 32
  public static let nonceLength = 12
  /// Bytes that sealing adds.
  public static let tagLength = 16

  private let context: OpaquePointer
  private let key: [UInt8]

  /// - Parameter key: 32 bytes.
  public init(key: [UInt8]) throws {
    guard key.count == Self.keyLength else {
      throw CryptoError(.invalidParameter, "a ChaCha20-Poly1305 key has 32 bytes")
    }
    guard let context = EVP_CIPHER_CTX_new() else {
      throw CryptoError.libcrypto("making a cipher context")
    }
    self.context = context
    self.key = key
  }

  deinit { EVP_CIPHER_CTX_free(context) }

  /// Encrypts `plain` into `sealed`, which is 16 bytes longer.
  public func seal(
    _ plain: UnsafeRawBufferPointer, nonce: [UInt8], into sealed: UnsafeMutableRawBufferPointer
  ) throws {
    guard nonce.count == Self.nonceLength, sealed.count == plain.count + Self.tagLength else {
      throw CryptoError(.invalidParameter, "a nonce or buffer of the wrong length")
    }
    let out = sealed.bindMemory(to: UInt8.self).baseAddress
    var count: Int32 = 0
    var rest: Int32 = 0
    guard EVP_EncryptInit_ex(context, EVP_chacha20_poly1305(), nil, key, nonce) == 1,
      update(EVP_EncryptUpdate, out, &count, plain),
      EVP_EncryptFinal_ex(context, out.map { $0 + Int(count) }, &rest) == 1,
      EVP_CIPHER_CTX_ctrl(
        context, EVP_CTRL_AEAD_GET_TAG, Int32(Self.tagLength), out.map { $0 + plain.count }) == 1
    else { throw CryptoError.libcrypto("encrypting") }
  }

  /// Decrypts `sealed` into `plain`, which is 16 bytes shorter.
  ///
  /// - Throws: ``CryptoError/Code/authenticationFailed`` when it was changed or sealed with another
  ///   key or nonce. `plain` is then all zeros.
  public func open(
    _ sealed: UnsafeRawBufferPointer, nonce: [UInt8], into plain: UnsafeMutableRawBufferPointer
  ) throws {
    guard nonce.count == Self.nonceLength, sealed.count == plain.count + Self.tagLength else {
      throw CryptoError(.invalidParameter, "a nonce or buffer of the wrong length")
    }
    let out = plain.bindMemory(to: UInt8.self).baseAddress
    let body = UnsafeRawBufferPointer(rebasing: sealed[..<plain.count])
    var tag = Array(sealed[plain.count...])
    var count: Int32 = 0
    var rest: Int32 = 0
    var spare = [UInt8](repeating: 0, count: 16)
    guard EVP_DecryptInit_ex(context, EVP_chacha20_poly1305(), nil, key, nonce) == 1,
      update(EVP_DecryptUpdate, out, &count, body),
      EVP_CIPHER_CTX_ctrl(
        context, EVP_CTRL_AEAD_SET_TAG, Int32(Self.tagLength), &tag) == 1
    else { throw CryptoError.libcrypto("decrypting") }
    guard EVP_DecryptFinal_ex(context, &spare, &rest) == 1 else {
      plain.initializeMemory(as: UInt8.self, repeating: 0)
      ERR_clear_error()
      throw CryptoError(.authenticationFailed, "the data were changed, or the key is another")
    }
  }

  private typealias Update = (
    OpaquePointer?, UnsafeMutablePointer<UInt8>?, UnsafeMutablePointer<Int32>?,
    UnsafePointer<UInt8>?, Int32
  ) -> Int32

  private func update(
    _ function: Update, _ out: UnsafeMutablePointer<UInt8>?, _ count: inout Int32,
    _ bytes: UnsafeRawBufferPointer
  ) -> Bool {
    guard bytes.count > 0 else { return true }
    let start = bytes.bindMemory(to: UInt8.self).baseAddress
    return function(context, out, &count, start, Int32(bytes.count)) == 1
  }
}

extension ChaCha20Poly1305 {
  /// Encrypts a small text.
  public static func seal(_ plain: [UInt8], key: [UInt8], nonce: [UInt8]) throws -> [UInt8] {
    var sealed = [UInt8](repeating: 0, count: plain.count + tagLength)
    let cipher = try ChaCha20Poly1305(key: key)
    try plain.withUnsafeBytes { plain in
      try sealed.withUnsafeMutableBytes { try cipher.seal(plain, nonce: nonce, into: $0) }
    }
    return sealed
  }

  /// Decrypts a small text.
  public static func open(_ sealed: [UInt8], key: [UInt8], nonce: [UInt8]) throws -> [UInt8] {
    guard sealed.count >= tagLength else {
      throw CryptoError(.authenticationFailed, "the data are too short")
    }
    var plain = [UInt8](repeating: 0, count: sealed.count - tagLength)
    let cipher = try ChaCha20Poly1305(key: key)
    try sealed.withUnsafeBytes { sealed in
      try plain.withUnsafeMutableBytes { try cipher.open(sealed, nonce: nonce, into: $0) }
    }
    return plain
  }
}
