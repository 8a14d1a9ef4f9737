import Crypto
import Testing

@testable import ObjectStore

/// The examples that AWS publishes in "Signature Calculations for the Authorization Header:
/// Transferring Payload in a Single Chunk", Amazon S3 API reference.
@Suite struct SignatureV4Tests {
  private let signer = SignatureV4(
    credentials: Credentials(
      accessKey: "AKIAIOSFODNN7EXAMPLE", secretKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
    region: "us-east-1")
  private let time = UTCTime(seconds: 1_369_353_600)  // 20130524T000000Z

  private func sign(
    _ method: String, _ path: String, query: [(String, String)] = [],
    headers: [(String, String)] = [], payloadHash: String = SignatureV4.emptyHash
  ) throws -> String {
    try signer.authorization(
      method: method, path: path, query: query,
      headers: headers + [
        ("Host", "examplebucket.s3.amazonaws.com"), ("x-amz-date", time.compact),
        ("x-amz-content-sha256", payloadHash),
      ], payloadHash: payloadHash, at: time)
  }

  @Test func getObject() throws {
    #expect(
      try sign("GET", "/test.txt", headers: [("Range", "bytes=0-9")])
        == "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
        + "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, "
        + "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41")
  }

  @Test func putObject() throws {
    let path = "/" + URIEncoding.encode("test$file.text", keepingSlashes: true)
    let authorization = try sign(
      "PUT", path,
      headers: [
        ("Date", "Fri, 24 May 2013 00:00:00 GMT"), ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
      ], payloadHash: "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072")
    #expect(
      authorization.hasSuffix(
        "Signature=98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"))
  }

  @Test func getLifecycle() throws {
    #expect(
      try sign("GET", "/", query: [("lifecycle", "")]).hasSuffix(
        "Signature=fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"))
  }

  @Test func listObjects() throws {
    // Given in the wrong order: the query is sorted.
    #expect(
      try sign("GET", "/", query: [("prefix", "J"), ("max-keys", "2")]).hasSuffix(
        "Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"))
  }

  /// Requests of AWS's published suite for Signature Version 4, which signs for the service
  /// "service", by their names there.
  @Test(
    arguments: [
      (
        "get-vanilla", "GET", [], [], "",
        "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
      ),
      (
        "get-vanilla-query-order-key-case", "GET", [("Param2", "value2"), ("Param1", "value1")], [],
        "", "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"
      ),
      (
        "get-header-value-trim", "GET", [],
        [("My-Header1", " value1"), ("My-Header2", " \"a   b   c\"")], "",
        "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"
      ),
      (
        "get-header-key-duplicate", "GET", [],
        [("My-Header1", "value2"), ("My-Header1", "value2"), ("My-Header1", "value1")], "",
        "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea"
      ),
      (
        "post-vanilla", "POST", [], [], "",
        "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"
      ),
      (
        "post-header-key-sort", "POST", [], [("My-Header1", "value1")], "",
        "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c"
      ),
      (
        "post-x-www-form-urlencoded", "POST", [],
        [("Content-Type", "application/x-www-form-urlencoded")], "Param1=value1",
        "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"
      ),
    ] as [(String, String, [(String, String)], [(String, String)], String, String)])
  func publishedSuite(
    _ name: String, _ method: String, _ query: [(String, String)], _ headers: [(String, String)],
    _ body: String, _ signature: String
  ) throws {
    let signer = SignatureV4(
      credentials: Credentials(
        accessKey: "AKIDEXAMPLE", secretKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
      region: "us-east-1", service: "service")
    let time = try #require(UTCTime("2015-08-30T12:36:00Z"))
    let authorization = try signer.authorization(
      method: method, path: "/", query: query,
      headers: headers + [("Host", "example.amazonaws.com"), ("X-Amz-Date", time.compact)],
      payloadHash: Hex.encode(try Digest.hash(.sha256, body)), at: time)
    #expect(authorization.hasSuffix("Signature=\(signature)"), "\(name)")
    #expect(authorization.contains("AKIDEXAMPLE/20150830/us-east-1/service/aws4_request"))
  }

  @Test func canonicalForms() {
    #expect(
      SignatureV4.encodedQuery([("b", "2"), ("a", "1 +/~"), ("a", "0"), ("ü", "")])
        == "%C3%BC=&a=0&a=1%20%2B%2F~&b=2")
    let (text, signed) = SignatureV4.canonicalRequest(
      method: "GET", path: "/", query: [],
      headers: [("My-Header", "  a   b  "), ("Host", "h"), ("my-header", "c")], payloadHash: "x")
    #expect(text == "GET\n/\n\nhost:h\nmy-header:a b,c\n\nhost;my-header\nx")
    #expect(signed == "host;my-header")
  }

  @Test func credentialsSayNothing() {
    let secret = Credentials(accessKey: "AKIA", secretKey: "s3cr3t", sessionToken: "t0k3n")
    var dumped = ""
    dump(secret, to: &dumped)
    for text in ["\(secret)", String(reflecting: secret), dumped, "\(["a": secret])"] {
      #expect(!text.contains("s3cr3t") && !text.contains("t0k3n") && !text.contains("AKIA"))
    }
  }
}
