import Crypto
import Testing

@Suite struct ChaCha20Poly1305Tests {
  private static let key = (0..<32).map { UInt8(0x80 + $0) }
  private static let nonce: [UInt8] = [
    0x07, 0, 0, 0, 0x40, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47,
  ]

  /// RFC 7539's cipher without additional data has no published vector of its own; the peer is
  /// Debian's age, in AgeTests. Here: both ways, and that every change is found.
  @Test func opensWhatItSealedAndNothingElse() throws {
    for count in [0, 1, 15, 16, 17, 1000] {
      let plain = try SecureRandom.bytes(count)
      let sealed = try ChaCha20Poly1305.seal(plain, key: Self.key, nonce: Self.nonce)
      #expect(sealed.count == count + 16)
      #expect(try ChaCha20Poly1305.open(sealed, key: Self.key, nonce: Self.nonce) == plain)
      for place in [0, sealed.count / 2, sealed.count - 1] {
        var changed = sealed
        changed[place] ^= 1
        expectFailure { _ = try ChaCha20Poly1305.open(changed, key: Self.key, nonce: Self.nonce) }
      }
      var other = Self.nonce
      other[11] ^= 1
      expectFailure { _ = try ChaCha20Poly1305.open(sealed, key: Self.key, nonce: other) }
    }
    expectFailure { _ = try ChaCha20Poly1305.open([1, 2], key: Self.key, nonce: Self.nonce) }
  }

  private func expectFailure(_ body: () throws -> Void) {
    do {
      try body()
      Issue.record("opened")
    } catch { #expect((error as? CryptoError)?.code == .authenticationFailed) }
  }
}

@Suite struct X25519Tests {
  /// RFC 7748, section 6.1.
  @Test func publishedAgreement() throws {
    func hex(_ text: String) -> [UInt8] { Hex.decode(text) ?? [] }
    let alicesPublicKey = hex("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a")
    let bob = hex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb")
    #expect(
      Hex.encode(try X25519.publicKey(of: bob))
        == "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f")
    #expect(
      Hex.encode(try X25519.sharedSecret(secret: bob, theirs: alicesPublicKey))
        == "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742")
  }

  @Test func bothSidesAgree() throws {
    let one = try SecureRandom.bytes(32)
    let two = try SecureRandom.bytes(32)
    #expect(
      try X25519.sharedSecret(secret: one, theirs: X25519.publicKey(of: two))
        == X25519.sharedSecret(secret: two, theirs: X25519.publicKey(of: one)))
  }

  @Test func refusesKeysOfLowOrder() {
    #expect(throws: CryptoError.self) {
      try X25519.sharedSecret(
        secret: SecureRandom.bytes(32), theirs: [UInt8](repeating: 0, count: 32))
    }
    #expect(throws: CryptoError.self) { try X25519.publicKey(of: [1, 2, 3]) }
  }
}

@Suite struct KeyDerivationTests {
  /// RFC 5869, test case 3: no salt, no info; its first 32 bytes.
  @Test func hkdf() throws {
    let key = try KeyDerivation.hkdf(
      secret: .init(repeating: 0x0B, count: 22), salt: [], info: "")
    #expect(
      Hex.encode(key) == "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d")
  }

  @Test func scryptGrowsWithItsWorkAndSalt() throws {
    let one = try KeyDerivation.scrypt(passphrase: "pleaseletmein", salt: [1], logN: 4)
    #expect(one.count == 32)
    #expect(try KeyDerivation.scrypt(passphrase: "pleaseletmein", salt: [1], logN: 4) == one)
    #expect(try KeyDerivation.scrypt(passphrase: "pleaseletmein", salt: [2], logN: 4) != one)
    #expect(try KeyDerivation.scrypt(passphrase: "pleaseletmein", salt: [1], logN: 5) != one)
    #expect(throws: CryptoError.self) {
      try KeyDerivation.scrypt(passphrase: "x", salt: [1], logN: 40)
    }
  }
}
