import COpenSSL

/// Key agreement on Curve25519, RFC 7748.
public enum X25519 {
  /// The public key of a secret one, 32 bytes each.
  public static func publicKey(of secret: [UInt8]) throws -> [UInt8] {
    let key = try privateKey(secret)
    defer { EVP_PKEY_free(key) }
    var result = [UInt8](repeating: 0, count: 32)
    var count = result.count
    guard EVP_PKEY_get_raw_public_key(key, &result, &count) == 1, count == 32 else {
      throw CryptoError.libcrypto("X25519's public key")
    }
    return result
  }

  /// What both sides get: 32 bytes, to be put through a key derivation.
  ///
  /// - Throws: ``CryptoError/Code/invalidParameter`` when the result would be all zeros, which a
  ///   public key of low order would force.
  public static func sharedSecret(secret: [UInt8], theirs: [UInt8]) throws -> [UInt8] {
    let mine = try privateKey(secret)
    defer { EVP_PKEY_free(mine) }
    guard theirs.count == 32,
      let peer = EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, nil, theirs, 32)
    else { throw CryptoError(.invalidParameter, "an X25519 public key has 32 bytes") }
    defer { EVP_PKEY_free(peer) }
    guard let context = EVP_PKEY_CTX_new(mine, nil) else {
      throw CryptoError.libcrypto("X25519")
    }
    defer { EVP_PKEY_CTX_free(context) }
    var result = [UInt8](repeating: 0, count: 32)
    var count = result.count
    guard EVP_PKEY_derive_init(context) == 1, EVP_PKEY_derive_set_peer(context, peer) == 1,
      EVP_PKEY_derive(context, &result, &count) == 1, count == 32,
      result.contains(where: { $0 != 0 })
    else {
      ERR_clear_error()
      throw CryptoError(.invalidParameter, "an X25519 public key of low order")
    }
    return result
  }

  private static func privateKey(_ secret: [UInt8]) throws -> OpaquePointer {
    guard secret.count == 32,
      let key = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, nil, secret, 32)
    else { throw CryptoError(.invalidParameter, "an X25519 secret key has 32 bytes") }
    return key
  }
}
