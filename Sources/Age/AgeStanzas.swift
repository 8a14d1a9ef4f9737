import Crypto

/// Wraps a file's key for a recipient, and unwraps it with an identity.
enum AgeStanzas {
  private static let x25519Info = "age-encryption.org/v1/X25519"
  private static let scryptLabel = "age-encryption.org/v1/scrypt"
  /// A reader does no more work than this for a passphrase: about a gigabyte of memory.
  static let largestLogN = 20
  private static let zeroNonce = [UInt8](repeating: 0, count: ChaCha20Poly1305.nonceLength)

  static func wrap(_ fileKey: [UInt8], for recipient: AgeRecipient) throws -> AgeHeader.Stanza {
    switch recipient {
    case .x25519(let theirs):
      let ephemeral = try SecureRandom.bytes(32)
      let share = try X25519.publicKey(of: ephemeral)
      let secret = try X25519.sharedSecret(secret: ephemeral, theirs: theirs)
      let key = try KeyDerivation.hkdf(secret: secret, salt: share + theirs, info: x25519Info)
      return AgeHeader.Stanza(
        arguments: ["X25519", Base64.encode(share, padded: false)],
        body: try ChaCha20Poly1305.seal(fileKey, key: key, nonce: zeroNonce))
    case .passphrase(let passphrase, let logN):
      let salt = try SecureRandom.bytes(16)
      let key = try KeyDerivation.scrypt(
        passphrase: passphrase, salt: Array(scryptLabel.utf8) + salt, logN: logN)
      return AgeHeader.Stanza(
        arguments: ["scrypt", Base64.encode(salt, padded: false), "\(logN)"],
        body: try ChaCha20Poly1305.seal(fileKey, key: key, nonce: zeroNonce))
    }
  }

  /// Nil when the identity is not the one that this stanza is for.
  static func unwrap(_ stanza: AgeHeader.Stanza, with identity: AgeIdentity) throws -> [UInt8]? {
    switch (stanza.arguments[0], identity) {
    case ("X25519", .x25519(let secret)):
      guard stanza.arguments.count == 2, stanza.body.count == 32,
        let share = Base64.decode(stanza.arguments[1], padded: false), share.count == 32
      else { throw AgeHeader.malformed }
      let mine = try X25519.publicKey(of: secret)
      let shared: [UInt8]
      do {
        shared = try X25519.sharedSecret(secret: secret, theirs: share)
      } catch is CryptoError { throw AgeHeader.malformed }
      return opened(
        stanza.body, try KeyDerivation.hkdf(secret: shared, salt: share + mine, info: x25519Info))
    case ("scrypt", .passphrase(let passphrase)):
      return try unwrapScrypt(stanza, passphrase)
    default: return nil
    }
  }

  /// Throws when a stanza of a kind that we know breaks its rules, whoever it is for.
  static func check(_ stanzas: [AgeHeader.Stanza]) throws {
    for stanza in stanzas where stanza.arguments[0] == "scrypt" {
      // A passphrase stands alone, so that nobody else can have made the file.
      guard stanzas.count == 1 else { throw AgeHeader.malformed }
    }
  }

  private static func unwrapScrypt(
    _ stanza: AgeHeader.Stanza, _ passphrase: String
  ) throws -> [UInt8]? {
    guard stanza.arguments.count == 3, stanza.body.count == 32,
      let salt = Base64.decode(stanza.arguments[1], padded: false), salt.count == 16,
      stanza.arguments[2].utf8.allSatisfy({ (0x30...0x39).contains($0) }),
      stanza.arguments[2].first != "0", let logN = Int(stanza.arguments[2])
    else { throw AgeHeader.malformed }
    guard logN <= largestLogN else {
      throw AgeError(
        .tooExpensive, "the passphrase's work factor is 2^\(logN), more than 2^\(largestLogN)")
    }
    let key = try KeyDerivation.scrypt(
      passphrase: passphrase, salt: Array(scryptLabel.utf8) + salt, logN: logN)
    return opened(stanza.body, key)
  }

  private static func opened(_ body: [UInt8], _ key: [UInt8]) -> [UInt8]? {
    try? ChaCha20Poly1305.open(body, key: key, nonce: zeroNonce)
  }
}
