import ByteStream

/// A container's role: ECS and EKS give credentials over HTTP at an address in the environment.
///
/// Source: docs.aws.amazon.com, "Container credential provider".
struct ContainerCredentials: CredentialsProvider {
  private let variables: Variables
  private let client: MetadataClient
  private static let what = "the container's credentials"

  init(_ lookup: CredentialsLookup) {
    variables = lookup.variables
    client = MetadataClient(isDirect: true, caFile: lookup.caFile)
  }

  func find(cancellation: Cancellation) throws -> CredentialsFinding {
    let url: String
    if let path = variables["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] {
      url = "http://169.254.170.2" + (path.hasPrefix("/") ? path : "/" + path)
    } else if let full = variables["AWS_CONTAINER_CREDENTIALS_FULL_URI"] {
      try Self.check(full)
      url = full
    } else {
      return .absent("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI is not set")
    }
    var headers: [(String, String)] = []
    // Read each time: the file is replaced while the container runs.
    if let path = variables["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] {
      let token = try SmallFile.token(path, from: "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")
      headers.append(("Authorization", token))
    } else if let token = variables["AWS_CONTAINER_AUTHORIZATION_TOKEN"] {
      headers.append(("Authorization", token))
    }
    guard headers.allSatisfy({ $0.1.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F } }) else {
      throw ObjectStoreError.credentials("the container's authorization token holds a line end")
    }
    let reply = try client.send(
      "GET", url, headers: headers, what: "cannot get " + Self.what, cancellation: cancellation)
    guard reply.status == 200 else {
      throw ObjectStoreError.credentials(
        "\(Self.what): \(url.prefix { $0 != "?" }) answered HTTP \(reply.status)")
    }
    return .found(
      try CredentialsDocument.credentials(reply.body, from: Self.what))
  }

  /// The token must not be sent in the clear to another machine.
  static func check(_ url: String) throws {
    if url.hasPrefix("https://") { return }
    let rest = url.hasPrefix("http://") ? url.dropFirst("http://".count) : ""
    let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
    let host =
      authority.hasPrefix("[")
      ? String(authority.dropFirst().prefix { $0 != "]" })
      : String(authority.prefix { $0 != ":" })
    let isLoopback =
      host == "localhost" || host == "::1"
      || (host.hasPrefix("127.") && host.split(separator: ".").count == 4
        && host.utf8.allSatisfy { (0x30...0x39).contains($0) || $0 == 0x2E })
    let known = ["169.254.170.2", "169.254.170.23", "fd00:ec2::23"]
    guard !authority.contains("@"), isLoopback || known.contains(host.lowercased()) else {
      throw ObjectStoreError.credentials(
        "AWS_CONTAINER_CREDENTIALS_FULL_URI must be https, or this machine or its metadata "
          + "service over http; it names \"\(host)\"")
    }
  }
}
