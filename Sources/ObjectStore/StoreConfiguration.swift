public import ByteStream

/// What it takes to open a store: a plain value, from the environment or from flags.
public struct StoreConfiguration: Sendable {
  /// Where it is; nil when nobody has said.
  public var location: StoreLocation?
  public var s3: S3Settings
  /// Lasting or temporary credentials that were given outright; nil to look for them.
  public var credentials: Credentials?

  public init(
    location: StoreLocation? = nil, s3: S3Settings = S3Settings(), credentials: Credentials? = nil
  ) {
    self.location = location
    self.s3 = s3
    self.credentials = credentials
  }

  /// Opens the store.
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
      guard let credentials else {
        throw ObjectStoreError(
          .credentials,
          "no credentials for s3://\(bucket): set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or "
            + "SCW_ACCESS_KEY and SCW_SECRET_KEY")
      }
      let store = try S3Store(
        bucket: bucket, settings: s3, credentials: FixedCredentials(credentials),
        cancellation: cancellation)
      return prefix.isEmpty ? store : try PrefixedStore(store, prefix: prefix)
    }
  }
}
