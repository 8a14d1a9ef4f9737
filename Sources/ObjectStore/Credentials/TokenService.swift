import ByteStream
import Crypto

/// AWS's token service (STS), or another provider's that speaks the same: a role's temporary
/// credentials for a proof of who we are.
///
/// Source: docs.aws.amazon.com, AWS Security Token Service API reference, version 2011-06-15.
struct TokenService: Sendable {
  let endpoint: String
  let region: String
  let client: MetadataClient

  /// AssumeRoleWithWebIdentity: the proof is a token that an identity provider has signed.
  func credentials(
    role: String, session: String, webIdentityToken: String, cancellation: Cancellation
  ) throws -> Credentials {
    try send(
      "AssumeRoleWithWebIdentity",
      [
        ("RoleArn", role), ("RoleSessionName", session), ("WebIdentityToken", webIdentityToken),
      ], signer: nil, cancellation: cancellation)
  }

  /// AssumeRole: the proof is another key's signature.
  func credentials(
    role: String, session: String, externalID: String?, signer: Credentials,
    cancellation: Cancellation
  ) throws -> Credentials {
    var fields = [("RoleArn", role), ("RoleSessionName", session)]
    if let externalID { fields.append(("ExternalId", externalID)) }
    return try send("AssumeRole", fields, signer: signer, cancellation: cancellation)
  }

  private func send(
    _ action: String, _ fields: [(String, String)], signer: Credentials?,
    cancellation: Cancellation
  ) throws -> Credentials {
    let all = [("Action", action), ("Version", "2011-06-15")] + fields
    let body = Array(
      all.map { "\(URIEncoding.encode($0.0))=\(URIEncoding.encode($0.1))" }
        .joined(separator: "&").utf8)
    var headers = [("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")]
    let url = endpoint.hasSuffix("/") ? endpoint : endpoint + "/"
    if let signer { headers = try signed(headers, url: url, body: body, with: signer) }
    let reply = try client.send(
      "POST", url, headers: headers, body: body, what: "cannot assume the role",
      cancellation: cancellation)
    guard let root = try? XMLElement(parsing: reply.body) else {
      throw ObjectStoreError.credentials(
        "\(action): \(endpoint) answered HTTP \(reply.status), and no XML")
    }
    guard reply.status == 200 else {
      let head = HTTPHead(status: reply.status, headers: [:])
      let answer = S3Failure.answer(head, body: reply.body)
      throw ObjectStoreError(
        .credentials,
        "the token service refused \(action) of \(fields.first?.1 ?? ""): check the role's trust "
          + "policy and the token's file", answer: answer)
    }
    let found = root["\(action)Result"]?["Credentials"]
    guard let found, let accessKey = found.text("AccessKeyId"),
      let secretKey = found.text("SecretAccessKey"), !accessKey.isEmpty, !secretKey.isEmpty
    else { throw ObjectStoreError.credentials("\(action): \(endpoint) gave no credentials") }
    return Credentials(
      accessKey: accessKey, secretKey: secretKey, sessionToken: found.text("SessionToken"),
      expires: found.text("Expiration").flatMap { UTCTime($0) })
  }

  private func signed(
    _ headers: [(String, String)], url: String, body: [UInt8], with signer: Credentials
  ) throws -> [(String, String)] {
    let endpoint = try S3Endpoint(S3Settings(endpoint: url, region: region), bucket: "sts")
    let now = UTCTime.now()
    var headers = headers
    headers.append(("x-amz-date", now.compact))
    if let token = signer.sessionToken { headers.append(("x-amz-security-token", token)) }
    let authorization = try SignatureV4(credentials: signer, region: region, service: "sts")
      .authorization(
        method: "POST", path: endpoint.basePath + "/", query: [],
        headers: headers + [("host", endpoint.authority)],
        payloadHash: Hex.encode(try Digest.hash(.sha256, body)), at: now)
    return headers + [("Authorization", authorization)]
  }
}
