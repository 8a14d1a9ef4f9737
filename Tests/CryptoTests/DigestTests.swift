import Crypto
import Testing

/// Expected values: FIPS 180-4 examples, RFC 1321 section A.5.
@Suite struct DigestTests {
  @Test func hashesThePublishedExamples() throws {
    #expect(
      Hex.encode(try Digest.hash(.sha256, "abc"))
        == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    #expect(
      Hex.encode(try Digest.hash(.sha256, ""))
        == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    #expect(
      Hex.encode(try Digest.hash(.sha384, "abc"))
        == "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
        + "8086072ba1e7cc2358baeca134c825a7")
    #expect(
      Hex.encode(try Digest.hash(.md5, "message digest")) == "f96b697d7cb7938d525a2f31aaf161d0")
  }

  @Test func piecesGiveTheHashOfTheWhole() throws {
    let bytes = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    let digest = try Digest(.sha256)
    for start in stride(from: 0, to: bytes.count, by: 777) {
      try digest.update(Array(bytes[start..<min(start + 777, bytes.count)]))
    }
    #expect(try digest.finish() == Digest.hash(.sha256, bytes))
  }

  @Test func startsAnewAfterFinish() throws {
    let digest = try Digest(.sha256)
    try digest.update(Array("something".utf8))
    _ = try digest.finish()
    try digest.update(Array("abc".utf8))
    #expect(try digest.finish() == Digest.hash(.sha256, "abc"))
  }
}
