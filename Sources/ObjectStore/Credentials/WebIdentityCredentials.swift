import ByteStream

/// A role for a token that the platform has put into a file, as Kubernetes and CI systems do.
struct WebIdentityCredentials: CredentialsProvider {
  private let lookup: CredentialsLookup

  init(_ lookup: CredentialsLookup) { self.lookup = lookup }

  func find(cancellation: Cancellation) throws -> CredentialsFinding {
    guard let path = lookup.variables["AWS_WEB_IDENTITY_TOKEN_FILE"] else {
      return .absent("AWS_WEB_IDENTITY_TOKEN_FILE is not set")
    }
    guard let role = lookup.variables["AWS_ROLE_ARN"] else {
      throw ObjectStoreError.credentials(
        "AWS_WEB_IDENTITY_TOKEN_FILE is set, and AWS_ROLE_ARN is not: it names the role")
    }
    // Read each time: the platform replaces the token before it expires.
    let token = try SmallFile.token(path, from: "AWS_WEB_IDENTITY_TOKEN_FILE")
    return .found(
      try lookup.tokenService().credentials(
        role: role, session: lookup.sessionName, webIdentityToken: token,
        cancellation: cancellation))
  }
}
