public import ByteStream
public import ObjectStore

/// One environment's backups in a store. Calls block; a value may be used from several threads.
public struct BackupRepository: Sendable {
  public let store: any ObjectStore
  public let environment: String

  /// - Parameter environment: `ENVIRONMENT`'s value; an empty one is `default`.
  public init(_ store: any ObjectStore, environment: String = Layout.defaultEnvironment) {
    self.store = store
    self.environment = environment.isEmpty ? Layout.defaultEnvironment : environment
  }

  /// The names for a new backup of a database that begins at `time`.
  public func newBackup(of database: String, at time: UTCTime) throws -> BackupNames {
    BackupNames(environment: environment, database: database, id: try BackupID(at: time))
  }

  /// Makes a backup visible: writes its manifest, when the object that it names is there with
  /// the size that it says.
  ///
  /// Call it last, after everything else of the backup is durable. A manifest that is there
  /// already is an error, and stays.
  public func writeManifest(_ manifest: Manifest) throws {
    let key = manifest.names.dataKey(encrypted: manifest.object.encryption != nil)
    guard let data = try store.info(key) else {
      throw RepositoryError(
        .damaged, "\(key) is not in \(store.description), so no manifest was written for it")
    }
    guard data.size == manifest.object.size else {
      throw RepositoryError(
        .damaged,
        "\(key) in \(store.description) has \(data.size) bytes, \(manifest.object.size) were "
          + "written, so no manifest was written for it")
    }
    try store.put(
      manifest.names.manifestKey, try manifest.encoded(),
      options: PutOptions(onlyIfAbsent: true, contentType: "application/json"))
  }

  /// Stores what a verification found.
  public func writeProof(_ proof: Proof) throws {
    try store.put(
      proof.key, try proof.encoded(), options: PutOptions(contentType: "application/json"))
  }

  /// Reads what the store holds: of one database, or of all.
  public func catalog(
    database: String? = nil, cancellation: Cancellation = Cancellation()
  ) throws -> BackupCatalog {
    try CatalogReader(self, cancellation: cancellation).read(database: database)
  }

  /// Whether the newest readable manifest of a database is of that server; throws
  /// ``RepositoryError/Code/otherServer`` when it is of another.
  ///
  /// - Parameter systemIdentifier: nil where the role may not read it; then nothing is known.
  public func checkServer(systemIdentifier: String?, database: String) throws {
    guard let systemIdentifier else { return }
    let catalog = try catalog(database: database)
    let known = catalog.entries.reversed().lazy.compactMap { $0.manifest?.server.systemIdentifier }
    guard let last = known.first, last != systemIdentifier else { return }
    throw RepositoryError(
      .otherServer,
      "the backups of \(database) in \(store.description) (environment \(environment)) are of "
        + "another server (system identifier \(last), this one has \(systemIdentifier)); "
        + "with --adopt this server takes their place, or set ENVIRONMENT to keep them apart")
  }
}
