import Crypto
import Testing

@Suite struct EncodingTests {
  /// RFC 4648 section 10.
  @Test(arguments: [
    ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="),
    ("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy"),
  ])
  func base64BothWays(_ plain: String, _ encoded: String) {
    let bytes = Array(plain.utf8)
    #expect(Base64.encode(bytes) == encoded)
    #expect(Base64.decode(encoded) == bytes)
    let unpadded = String(encoded.prefix { $0 != "=" })
    #expect(Base64.encode(bytes, padded: false) == unpadded)
    #expect(Base64.decode(unpadded, padded: false) == bytes)
  }

  @Test(arguments: ["Zg=", "Zg", "Zh==", "Z", "Zm9v\n", "Zm9_", "====", "Zm8=Zm8="])
  func base64RefusesWhatIsNotCanonical(_ text: String) {
    #expect(Base64.decode(text) == nil)
  }

  @Test func base64KeepsEveryLength() throws {
    for count in 0..<70 {
      let bytes = try SecureRandom.bytes(count)
      #expect(Base64.decode(Base64.encode(bytes)) == bytes)
      #expect(Base64.decode(Base64.encode(bytes, padded: false), padded: false) == bytes)
    }
  }

  @Test func hexBothWays() {
    let all = (0...255).map { UInt8($0) }
    #expect(Hex.decode(Hex.encode(all)) == all)
    #expect(Hex.encode([0, 0x0F, 0xA5]) == "000fa5")
    #expect(Hex.decode("A5fF") == [0xA5, 0xFF])
    #expect(Hex.decode("abc") == nil)
    #expect(Hex.decode("0g") == nil)
  }

  @Test func randomBytesDiffer() throws {
    #expect(try SecureRandom.bytes(16) != SecureRandom.bytes(16))
    #expect(try SecureRandom.bytes(0).isEmpty)
  }
}
