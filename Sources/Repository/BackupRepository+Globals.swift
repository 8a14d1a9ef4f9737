public import ByteStream
public import ObjectStore

extension BackupRepository {
  /// The names for a new backup of a cluster's globals that begins at `time`.
  public func newGlobals(systemIdentifier: String?, at time: UTCTime) throws -> GlobalsNames {
    GlobalsNames(
      environment: environment, systemIdentifier: systemIdentifier, id: try BackupID(at: time))
  }

  /// Makes a backup of globals visible: writes its manifest, when the object that it names is there
  /// with the size that it says. Call it last.
  public func writeManifest(_ manifest: GlobalsManifest) throws {
    let key = manifest.names.dataKey(encrypted: manifest.object.encryption != nil)
    guard let data = try store.info(key), data.size == manifest.object.size else {
      throw RepositoryError(
        .damaged,
        "\(key) in \(store.description) is not as it was written, so no manifest was written for "
          + "it")
    }
    try store.put(
      manifest.names.manifestKey, try manifest.encoded(),
      options: PutOptions(onlyIfAbsent: true, contentType: "application/json"))
  }

  /// All backups of globals in the environment, oldest first. Those that this version cannot read
  /// are not among them.
  public func globals(
    cancellation: Cancellation = Cancellation()
  ) throws -> [GlobalsManifest] {
    var keys: [String] = []
    try store.list(prefix: Layout.clustersPrefix(environment: environment)) { info in
      if info.key.contains(GlobalsNames.folder), info.key.hasSuffix(GlobalsNames.manifestSuffix) {
        keys.append(info.key)
      }
    }
    return try keys.compactMap { key in
      do {
        let bytes = try store.readAll(key, limit: 16 << 20, cancellation: cancellation)
        return GlobalsManifest(decoding: bytes).flatMap {
          $0.names.manifestKey == key ? $0 : nil
        }
      } catch let error as ObjectStoreError where error.code == .notFound {
        return nil
      }
    }.sorted { $0.id < $1.id }
  }

  /// The backup of globals that somebody means: `latest`, an ID or its beginning.
  ///
  /// - Throws: ``RepositoryError/Code/noBackup`` or ``RepositoryError/Code/ambiguous``.
  public func globals(
    named text: String, cancellation: Cancellation = Cancellation()
  ) throws -> GlobalsManifest {
    let all = try globals(cancellation: cancellation)
    let place = "\(store.description), environment \(environment)"
    guard let newest = all.last else {
      throw RepositoryError(.noBackup, "there are no roles and tablespaces in \(place)")
    }
    if text == "latest" {
      let clusters = Set(all.map(\.server.systemIdentifier))
      guard clusters.count == 1 else {
        throw RepositoryError(
          .ambiguous,
          "\(place) holds the roles and tablespaces of \(clusters.count) servers; give the ID of "
            + "the backup that is meant")
      }
      return newest
    }
    let answering = all.filter { $0.id.answers(to: text) }
    guard let one = answering.first else {
      throw RepositoryError(
        .noBackup,
        "there is no backup \"\(text)\" of roles and tablespaces in \(place); the newest is "
          + "\(newest.id)")
    }
    guard answering.count == 1 else {
      throw RepositoryError(
        .ambiguous, "\"\(text)\" is the beginning of \(answering.count) backups' names")
    }
    return one
  }
}
