public import ObjectStore
public import Repository

extension Run {
  /// The store that `--store` or `BACKUP_STORE` names. Nothing is asked of it yet.
  public func openStore(_ options: StoreOptions) throws -> any ObjectStore {
    try storeConfiguration(options).open(cancellation: cancellation)
  }

  /// How to open that store.
  public func storeConfiguration(_ options: StoreOptions) throws -> StoreConfiguration {
    let location = try configuration.storeLocation(flag: options.store)
    var values = configuration.environment.values
    values["BACKUP_STORE"] = nil
    if let endpoint = options.s3Endpoint { values["BACKUP_S3_ENDPOINT"] = endpoint }
    if let region = options.s3Region { values["BACKUP_S3_REGION"] = region }
    var store = try StoreConfiguration.fromEnvironment(values)
    store.location = location
    console.redactor.add(store.credentials?.secretKey)
    console.redactor.add(store.credentials?.sessionToken)
    return store
  }

  /// The backups of this run's environment in that store.
  public func openRepository(_ options: StoreOptions) throws -> BackupRepository {
    BackupRepository(try openStore(options), environment: environmentName)
  }
}
