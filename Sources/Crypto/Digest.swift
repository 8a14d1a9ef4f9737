import COpenSSL

/// A cryptographic hash over bytes that arrive in pieces.
///
/// One owner at a time: it is not safe to use from two threads.
public final class Digest {
  /// Which hash.
  public enum Algorithm: String, Hashable, Sendable {
    /// 16 bytes. Only where a protocol asks for it (Content-MD5): MD5 protects nothing.
    case md5
    /// 32 bytes, FIPS 180-4.
    case sha256
    /// 48 bytes, FIPS 180-4.
    case sha384

    /// Looked up once: libcrypto's own `EVP_sha256()` is looked up again for each hash.
    fileprivate var method: OpaquePointer? {
      switch self {
      case .md5: Self.fetched.md5
      case .sha256: Self.fetched.sha256
      case .sha384: Self.fetched.sha384
      }
    }

    private struct Methods: @unchecked Sendable {
      // Unchecked: libcrypto counts references and never changes what it gave.
      let md5 = EVP_MD_fetch(nil, "MD5", nil)
      let sha256 = EVP_MD_fetch(nil, "SHA256", nil)
      let sha384 = EVP_MD_fetch(nil, "SHA384", nil)
    }

    private static let fetched = Methods()

    /// How many bytes the hash has.
    public var byteCount: Int {
      switch self {
      case .md5: 16
      case .sha256: 32
      case .sha384: 48
      }
    }
  }

  public let algorithm: Algorithm
  private let context: OpaquePointer

  /// Throws ``CryptoError`` when libcrypto does not offer the algorithm.
  public init(_ algorithm: Algorithm) throws {
    self.algorithm = algorithm
    guard let context = EVP_MD_CTX_new() else {
      throw CryptoError.libcrypto("making a hash context")
    }
    self.context = context
    try restart()
  }

  deinit { EVP_MD_CTX_free(context) }

  /// Takes the next bytes.
  public func update(_ bytes: UnsafeRawBufferPointer) throws {
    guard bytes.count > 0 else { return }
    guard EVP_DigestUpdate(context, bytes.baseAddress, bytes.count) == 1 else {
      throw CryptoError.libcrypto("hashing")
    }
  }

  /// Takes the next bytes.
  public func update(_ bytes: [UInt8]) throws { try bytes.withUnsafeBytes { try update($0) } }

  /// Gives the hash of all bytes so far, and starts anew.
  public func finish() throws -> [UInt8] {
    var result = [UInt8](repeating: 0, count: algorithm.byteCount)
    guard EVP_DigestFinal_ex(context, &result, nil) == 1 else {
      throw CryptoError.libcrypto("finishing a hash")
    }
    try restart()
    return result
  }

  private func restart() throws {
    guard EVP_DigestInit_ex(context, algorithm.method, nil) == 1 else {
      throw CryptoError.libcrypto("starting \(algorithm.rawValue)", .unavailable)
    }
  }

  /// The hash of bytes that are all there.
  public static func hash(
    _ algorithm: Algorithm, _ bytes: UnsafeRawBufferPointer
  ) throws -> [UInt8] {
    let digest = try Digest(algorithm)
    try digest.update(bytes)
    return try digest.finish()
  }

  /// The hash of bytes that are all there.
  public static func hash(_ algorithm: Algorithm, _ bytes: [UInt8]) throws -> [UInt8] {
    try bytes.withUnsafeBytes { try hash(algorithm, $0) }
  }

  /// The hash of a text's UTF-8 bytes.
  public static func hash(_ algorithm: Algorithm, _ text: String) throws -> [UInt8] {
    try hash(algorithm, Array(text.utf8))
  }
}
