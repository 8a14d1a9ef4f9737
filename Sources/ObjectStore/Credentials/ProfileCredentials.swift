import ByteStream

/// A profile of AWS's shared files: a key, a program that gives one, or a role that is assumed.
struct ProfileCredentials: CredentialsProvider {
  private let lookup: CredentialsLookup
  /// A profile may take another one's key to assume its role with, and so on.
  private static let deepest = 5

  init(_ lookup: CredentialsLookup) { self.lookup = lookup }

  func find(cancellation: Cancellation) throws -> CredentialsFinding {
    // Read each time: a login tool may have written new ones.
    let files = try lookup.sharedFiles()
    let name = lookup.profileName
    guard files.profiles[name] != nil else {
      if lookup.variables.first("AWS_PROFILE", "AWS_DEFAULT_PROFILE") != nil {
        throw ObjectStoreError.credentials(
          "AWS_PROFILE names \"\(name)\", and there is no such profile: \(files.description)")
      }
      return .absent("no default profile: \(files.description)")
    }
    return try find(name, in: files, depth: 0, cancellation)
  }

  private func find(
    _ name: String, in files: SharedFiles, depth: Int, _ cancellation: Cancellation
  ) throws -> CredentialsFinding {
    guard let profile = files.profiles[name] else {
      throw ObjectStoreError.credentials("there is no profile \"\(name)\" in AWS's shared files")
    }
    guard depth < Self.deepest else {
      throw ObjectStoreError.credentials("the profile \"\(name)\" takes its key from itself")
    }
    if let role = profile["role_arn"] {
      return .found(
        try assume(role, name, profile, in: files, depth: depth, cancellation))
    }
    if let accessKey = profile["aws_access_key_id"] {
      guard let secretKey = profile["aws_secret_access_key"], !secretKey.isEmpty else {
        throw ObjectStoreError.credentials(
          "the profile \"\(name)\" has an aws_access_key_id and no aws_secret_access_key")
      }
      return .found(
        Credentials(
          accessKey: accessKey, secretKey: secretKey, sessionToken: profile["aws_session_token"]))
    }
    if let command = profile["credential_process"] {
      let output = try CredentialProcess.run(command, cancellation: cancellation)
      return .found(
        try CredentialsDocument.credentials(
          output, from: "the credential_process of the profile \"\(name)\""))
    }
    if profile.keys.contains(where: { $0.hasPrefix("sso_") }) {
      throw ObjectStoreError.credentials(
        "the profile \"\(name)\" signs in with SSO: give it the line credential_process = aws "
          + "configure export-credentials --profile \(name), in a profile of another name")
    }
    return .absent("the profile \"\(name)\" holds no credentials")
  }

  private func assume(
    _ role: String, _ name: String, _ profile: [String: String], in files: SharedFiles,
    depth: Int, _ cancellation: Cancellation
  ) throws -> Credentials {
    let service = try lookup.tokenService(region: profile["region"])
    let session = profile["role_session_name"] ?? lookup.sessionName
    if let path = profile["web_identity_token_file"] {
      let token = try SmallFile.token(path, from: "the profile \"\(name)\"")
      return try service.credentials(
        role: role, session: session, webIdentityToken: token, cancellation: cancellation)
    }
    if profile["mfa_serial"] != nil {
      throw ObjectStoreError.credentials(
        "the profile \"\(name)\" asks for a code of a device, which a job cannot type")
    }
    let found: CredentialsFinding
    if let source = profile["source_profile"] {
      // A profile may be its own source: then it is the key beside its role that is meant.
      if source == name, var own = files.profiles[name] {
        own["role_arn"] = nil
        found =
          try own["aws_access_key_id"].map { accessKey in
            guard let secretKey = own["aws_secret_access_key"] else {
              throw ObjectStoreError.credentials(
                "the profile \"\(name)\" has an aws_access_key_id and no aws_secret_access_key")
            }
            return .found(
              Credentials(
                accessKey: accessKey, secretKey: secretKey, sessionToken: own["aws_session_token"]))
          } ?? .absent("the profile \"\(name)\" is its own source and has no key")
      } else {
        found = try find(source, in: files, depth: depth + 1, cancellation)
      }
    } else {
      found = try credentialSource(profile["credential_source"], name, cancellation)
    }
    switch found {
    case .absent(let why):
      throw ObjectStoreError.credentials(
        "the profile \"\(name)\" assumes a role, and has no key to do it with: \(why)")
    case .found(let signer):
      return try service.credentials(
        role: role, session: session, externalID: profile["external_id"], signer: signer,
        cancellation: cancellation)
    }
  }

  private func credentialSource(
    _ source: String?, _ name: String, _ cancellation: Cancellation
  ) throws -> CredentialsFinding {
    switch source {
    case "Environment":
      let found = try lookup.variables.credentials(
        "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", token: "AWS_SESSION_TOKEN")
      return found.map { .found($0) } ?? .absent("AWS_ACCESS_KEY_ID is not set")
    case "EcsContainer":
      return try ContainerCredentials(lookup).find(cancellation: cancellation)
    case "Ec2InstanceMetadata":
      return try InstanceMetadata(lookup).find(cancellation: cancellation)
    default:
      return .absent(
        "it has neither a source_profile nor a credential_source of Environment, EcsContainer or "
          + "Ec2InstanceMetadata")
    }
  }
}
