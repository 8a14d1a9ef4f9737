import ByteStream

/// Where to look for credentials that the environment does not give outright: AWS's shared files,
/// web identity, the container's and the instance's metadata, in that order, as AWS's own tools do.
///
/// A plain value; it is made of environment variables and reads nothing until it is used. It says
/// nothing of itself, since a variable may hold a token.
public struct CredentialsLookup: Sendable, CustomStringConvertible, CustomReflectable {
  let variables: Variables
  /// Whether the store is AWS's own, or not said. An instance's role is good nowhere else, and is
  /// not sent to other providers.
  var isAWS: Bool
  /// For the endpoint of AWS's token service.
  var region: String?
  /// Certificates to trust in place of the system's.
  var caFile: String?

  init(_ variables: Variables, isAWS: Bool, region: String? = nil, caFile: String? = nil) {
    self.variables = variables
    self.isAWS = isAWS
    self.region = region
    self.caFile = caFile
  }

  public var description: String { "CredentialsLookup(hidden)" }
  public var customMirror: Mirror { Mirror(self, children: [:]) }

  /// The profile that is used: `AWS_PROFILE`, else `default`.
  var profileName: String {
    variables.first("AWS_PROFILE", "AWS_DEFAULT_PROFILE") ?? "default"
  }

  /// The shared files as they are now.
  func sharedFiles() throws -> SharedFiles {
    let home = variables["HOME"]
    let credentials =
      variables["AWS_SHARED_CREDENTIALS_FILE"] ?? home.map { $0 + "/.aws/credentials" }
    let config = variables["AWS_CONFIG_FILE"] ?? home.map { $0 + "/.aws/config" }
    return try SharedFiles(credentialsPath: credentials, configPath: config)
  }

  /// The source that looks, keeps what it found, and looks again before that expires.
  func source() -> CachedCredentials {
    let profile = ProfileCredentials(self)
    let webIdentity = WebIdentityCredentials(self)
    let isNamed = variables.first("AWS_PROFILE", "AWS_DEFAULT_PROFILE") != nil
    // A profile that was asked for by name goes before what a platform sets of its own accord.
    var providers: [any CredentialsProvider] =
      isNamed ? [profile, webIdentity] : [webIdentity, profile]
    providers += [ContainerCredentials(self), InstanceMetadata(self)]
    return CachedCredentials(providers)
  }

  /// The token service, as `AWS_ENDPOINT_URL_STS` or else AWS's of the region.
  func tokenService(region: String? = nil) throws -> TokenService {
    let region =
      self.region ?? variables.first("AWS_REGION", "AWS_DEFAULT_REGION") ?? region ?? "us-east-1"
    let suffix = region.hasPrefix("cn-") ? ".cn" : ""
    return TokenService(
      endpoint: variables.first("AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL")
        ?? "https://sts.\(region).amazonaws.com\(suffix)",
      region: region, client: MetadataClient(isDirect: false, caFile: caFile))
  }

  /// A session's name: what the account's records show.
  var sessionName: String { variables["AWS_ROLE_SESSION_NAME"] ?? "pgkeep" }
}
