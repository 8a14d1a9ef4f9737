public import ByteStream

/// What it takes to open a store: a plain value, from the environment or from flags.
public struct StoreConfiguration: Sendable {
  /// Where it is; nil when nobody has said.
  public var location: StoreLocation?
  public var s3: S3Settings
  /// Lasting or temporary credentials that were given outright; nil to look for them.
  public var credentials: Credentials?
  /// Where to look for credentials that were not given outright; nil for nowhere.
  public var lookup: CredentialsLookup?
  /// What is wrong with the credentials that were given, thrown when a bucket is opened.
  var problem: ObjectStoreError?

  public init(
    location: StoreLocation? = nil, s3: S3Settings = S3Settings(), credentials: Credentials? = nil,
    lookup: CredentialsLookup? = nil
  ) {
    self.location = location
    self.s3 = s3
    self.credentials = credentials
    self.lookup = lookup
  }

  /// Opens the store. Where credentials are looked for, they are found here: what is missing is
  /// said before any work is done.
  ///
  /// - Parameter cancellation: stops every call of the store.
  public func open(cancellation: Cancellation = Cancellation()) throws -> any ObjectStore {
    switch location {
    case nil:
      throw ObjectStoreError(
        .invalidLocation,
        "no store is configured: set BACKUP_STORE to file:///var/backups/postgres or "
          + "s3://bucket/prefix")
    case .directory(let path): return try DirectoryStore(path: path)
    case .s3(let bucket, let prefix):
      if let problem { throw problem }
      var settings = s3
      let source: any CredentialsSource
      if let credentials {
        source = FixedCredentials(credentials)
      } else if let lookup {
        let found = lookup.source()
        _ = try found.credentials(cancellation: cancellation)
        source = found
      } else {
        throw ObjectStoreError(
          .credentials,
          "no credentials for s3://\(bucket): set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or "
            + "SCW_ACCESS_KEY and SCW_SECRET_KEY")
      }
      // The profile may say where the bucket is; a region alone is meant for AWS.
      if settings.endpoint == nil, let lookup {
        let profile = try lookup.sharedFiles().profiles[lookup.profileName]
        settings.endpoint = profile?["endpoint_url"]
        settings.region = settings.region ?? profile?["region"]
      }
      let store = try S3Store(
        bucket: bucket, settings: settings, credentials: source, cancellation: cancellation)
      return prefix.isEmpty ? store : try PrefixedStore(store, prefix: prefix)
    }
  }
}
