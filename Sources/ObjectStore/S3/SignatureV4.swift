import Crypto

/// AWS Signature Version 4, the `Authorization` header's form.
///
/// Source: docs.aws.amazon.com, "Signature Calculations for the Authorization Header". S3 signs
/// the path as it is sent, encoded once; nothing is normalised.
struct SignatureV4: Sendable {
  var credentials: Credentials
  var region: String
  var service = "s3"

  /// The SHA-256 of no bytes.
  static let emptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

  /// What is signed, as a text.
  ///
  /// - Parameters:
  ///   - path: already encoded, as it is sent.
  ///   - query: not encoded.
  ///   - headers: all that are signed, `host` among them; names in any case.
  static func canonicalRequest(
    method: String, path: String, query: [(String, String)], headers: [(String, String)],
    payloadHash: String
  ) -> (text: String, signedHeaders: String) {
    var values: [String: [String]] = [:]
    for (name, value) in headers { values[name.lowercased(), default: []].append(trim(value)) }
    let names = values.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    let lines = names.map { "\($0):\((values[$0] ?? []).joined(separator: ","))\n" }
    let signed = names.joined(separator: ";")
    let text = [
      method, path, encodedQuery(query), lines.joined(), signed, payloadHash,
    ].joined(separator: "\n")
    return (text, signed)
  }

  /// The query in the one form that is both signed and sent: encoded, sorted by name, then value.
  static func encodedQuery(_ query: [(String, String)]) -> String {
    query.map { (URIEncoding.encode($0.0), URIEncoding.encode($0.1)) }
      .sorted { a, b in
        a.0 == b.0
          ? a.1.utf8.lexicographicallyPrecedes(b.1.utf8)
          : a.0.utf8.lexicographicallyPrecedes(b.0.utf8)
      }
      .map { "\($0.0)=\($0.1)" }.joined(separator: "&")
  }

  /// The text whose HMAC is the signature.
  func stringToSign(_ canonicalRequest: String, at time: UTCTime) throws -> String {
    let hash = Hex.encode(try Digest.hash(.sha256, canonicalRequest))
    return ["AWS4-HMAC-SHA256", time.compact, scope(time), hash].joined(separator: "\n")
  }

  /// The value of the `Authorization` header.
  func authorization(
    method: String, path: String, query: [(String, String)], headers: [(String, String)],
    payloadHash: String, at time: UTCTime
  ) throws -> String {
    let (request, signed) = Self.canonicalRequest(
      method: method, path: path, query: query, headers: headers, payloadHash: payloadHash)
    let signature = try signature(of: try stringToSign(request, at: time), at: time)
    return "AWS4-HMAC-SHA256 Credential=\(credentials.accessKey)/\(scope(time)), "
      + "SignedHeaders=\(signed), Signature=\(signature)"
  }

  private func signature(of text: String, at time: UTCTime) throws -> String {
    var key = Array("AWS4\(credentials.secretKey)".utf8)
    for part in [time.compactDate, region, service, "aws4_request", text] {
      key = try MessageAuthentication.hmacSHA256(key: key, Array(part.utf8))
    }
    return Hex.encode(key)
  }

  private func scope(_ time: UTCTime) -> String {
    "\(time.compactDate)/\(region)/\(service)/aws4_request"
  }

  /// Without blanks at the ends, and with single ones inside.
  private static func trim(_ value: String) -> String {
    value.split(separator: " ", omittingEmptySubsequences: true).joined(separator: " ")
  }
}
