import ByteStream

/// An EC2 instance's role, by version 2 of the instance metadata service: a session token first.
///
/// Source: docs.aws.amazon.com, "Use the Instance Metadata Service". Version 1 is not spoken.
struct InstanceMetadata: CredentialsProvider {
  private let variables: Variables
  private let isAWS: Bool
  private let client = MetadataClient(isDirect: true)
  private static let what = "the instance's credentials"

  init(_ lookup: CredentialsLookup) {
    variables = lookup.variables
    isAWS = lookup.isAWS
  }

  func find(cancellation: Cancellation) throws -> CredentialsFinding {
    if variables["AWS_EC2_METADATA_DISABLED"]?.lowercased() == "true" {
      return .absent("AWS_EC2_METADATA_DISABLED is true")
    }
    let configured = variables["AWS_EC2_METADATA_SERVICE_ENDPOINT"]
    guard isAWS || configured != nil else {
      return .absent("an instance's role is for AWS only")
    }
    let isIPv6 = variables["AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE"]?.lowercased() == "ipv6"
    var base = configured ?? (isIPv6 ? "http://[fd00:ec2::254]" : "http://169.254.169.254")
    while base.hasSuffix("/") { base.removeLast() }

    let token: MetadataClient.Reply
    do {
      // Elsewhere than on EC2 nobody answers: a short wait must do.
      token = try client.send(
        "PUT", base + "/latest/api/token",
        headers: [("X-aws-ec2-metadata-token-ttl-seconds", "21600")], body: [],
        what: "cannot open a session of the instance's metadata", timeout: 2, tries: 2,
        cancellation: cancellation)
    } catch let error as ObjectStoreError where error.code == .unreachable && configured == nil {
      return .absent("no instance metadata service answers")
    }
    guard token.status == 200 else {
      if configured == nil, token.status != 403 {
        return .absent("the instance metadata service answered HTTP \(token.status)")
      }
      throw refused(token)
    }
    let headers = [("X-aws-ec2-metadata-token", token.text.trimmingBlanks())]
    let folder = base + "/latest/meta-data/iam/security-credentials/"
    let names = try client.send(
      "GET", folder, headers: headers, what: "cannot get " + Self.what, cancellation: cancellation)
    if names.status == 404 { return .absent("this instance has no role") }
    guard names.status == 200 else { throw refused(names) }
    guard let role = names.text.split(whereSeparator: \.isNewline).first?.trimmingBlanks(),
      !role.isEmpty
    else { return .absent("this instance has no role") }
    let reply = try client.send(
      "GET", folder + URIEncoding.encode(role), headers: headers,
      what: "cannot get " + Self.what, cancellation: cancellation)
    guard reply.status == 200 else { throw refused(reply) }
    return .found(try CredentialsDocument.credentials(reply.body, from: Self.what))
  }

  private func refused(_ reply: MetadataClient.Reply) -> ObjectStoreError {
    ObjectStoreError.credentials(
      "\(Self.what): the metadata service answered HTTP \(reply.status)"
        + (reply.status == 403 ? " (its options may switch it off for this instance)" : ""))
  }
}
