public import Age
public import ByteStream
import Crypto
public import ObjectStore
public import Postgres
import Repository

/// Takes a base backup over a replication connection and stores it, with nothing on local disk.
///
/// Order: the archives, then their index, the server's manifest and settings, last the manifest.
/// What a killed run leaves has no manifest and is no backup.
public struct BaseBackup: Sendable {
  /// How to take it.
  public struct Options: Sendable {
    public var label = "pgkeep"
    public var checkpoint = BaseBackupRequest.Checkpoint.fast
    /// Whether the backup holds the WAL that makes it consistent, so that it can be restored
    /// without the archive.
    public var includesWAL = true
    /// Kilobytes a second that the server sends at most.
    public var maxRate: Int?
    public var verifiesChecksums = true
    /// Threads that compress.
    public var jobs = 2
    /// Whom the backup is encrypted to; nobody when empty.
    public var recipients: [AgeRecipient] = []
    /// Whether it holds only what changed since the newest base backup that there is (17 and
    /// later).
    public var isIncremental = false
    /// What opens the server's manifest of that one, where it is encrypted.
    public var identities: [AgeIdentity] = []
    /// The tool's version, for the manifest.
    public var tool = "pgkeep"

    public init() {}
  }

  /// What a running backup tells.
  public struct Progress: Sendable {
    /// Bytes of tar that have arrived.
    public var received: Int
    /// The server's estimate of them; nil without one.
    public var expected: Int?
  }

  public let store: any ObjectStore
  public let environment: String
  public let target: ConnectionTarget
  public let options: Options

  public init(
    _ target: ConnectionTarget, to store: any ObjectStore, environment: String,
    options: Options = Options()
  ) {
    self.target = target
    self.store =
      options.recipients.isEmpty && options.identities.isEmpty
      ? store
      : SealedStore(store, recipients: options.recipients, identities: options.identities)
    self.environment = environment
    self.options = options
  }

  /// Takes the backup. Blocks until it is durable.
  ///
  /// - Parameters:
  ///   - onWarning: what the server warns of, such as pages with wrong checksums.
  ///   - onProgress: called now and then, on this thread.
  /// - Throws: ``PhysicalBackupError``, `PostgresError` or `ObjectStoreError`; nothing is then
  ///   visible as a backup.
  public func run(
    cancellation: Cancellation, onWarning: @escaping (String) -> Void = { _ in },
    onProgress: @escaping (Progress) -> Void = { _ in }
  ) throws -> BaseManifest {
    let started = UTCTime.now()
    let (settings, isStandby, version) = try readSettings(cancellation)
    for missing in settings.missing {
      onWarning("the role may not read \(missing), so the backup does not hold it")
    }
    let connection = try ReplicationConnection(
      target, applicationName: "pgkeep base backup", cancellation: cancellation)
    defer { connection.close() }
    guard connection.majorVersion >= 15 else {
      throw PhysicalBackupError(
        .wrongServer,
        "\(target) runs PostgreSQL \(connection.majorVersion); base backups need "
          + "15 or later")
    }
    let system = try connection.identifySystem()
    let segmentSize = try connection.walSegmentSize()
    let id = try BackupID(at: started)
    let layout = ClusterLayout(
      environment: environment, systemIdentifier: system.identifier)
    connection.onNotice = { notice in
      // That the archive has the WAL is the receiver's business, and checked on its own.
      if notice.severity == "WARNING" { onWarning(notice.message) }
    }
    var request = BaseBackupRequest(label: options.label)
    request.checkpoint = options.checkpoint
    request.includesWAL = options.includesWAL
    request.maxRate = options.maxRate
    request.verifiesChecksums = options.verifiesChecksums

    var parent: IncrementalParent?
    if options.isIncremental {
      let found = try IncrementalParent(
        connection, system, SealedStore(store, identities: options.identities),
        environment: environment, cancellation: cancellation)
      try connection.uploadManifest(found.serverManifest)
      request.isIncremental = true
      parent = found
    }
    let stream: BaseBackupStream
    do { stream = try connection.startBaseBackup(request) } catch let error as PostgresError {
      guard let parent, error.code == .server else { throw error }
      throw PhysicalBackupError(
        .wrongServer,
        "the server cannot make a base backup that is incremental to \(parent.manifest.id); take "
          + "one without --incremental", cause: error)
    }
    let reception = BaseReception(stream, layout: layout, id: id)
    let pipeline = MemberPipeline(store, jobs: options.jobs, cancellation: cancellation)
    let stored = try pipeline.run { try reception.run(into: $0, onProgress) }
    let end: BaseBackupStream.Position
    do { end = try stream.finish() } catch let error as PostgresError {
      guard error.sqlState == .dataCorrupted else { throw error }
      throw PhysicalBackupError(
        .badPages,
        "the server found pages with wrong checksums, so this is no good backup; look "
          + "at the disks, and at the server's log", cause: error)
    }
    guard end.timeline == stream.start.timeline else {
      throw PhysicalBackupError(
        .unexpectedAnswer, "the server changed its timeline during the backup; take another")
    }

    let archives = zip(stored, reception.archives).map { stored, archive in
      BaseIndex.Archive(
        name: archive.name, tablespace: archive.tablespace, members: stored.members,
        entries: archive.entries)
    }
    _ = try ServerManifest(reception.serverManifest)
    let side = try storeSideObjects(layout, id, BaseIndex(archives: archives), reception, settings)
    let manifest = BaseManifest(
      id: id, label: options.label, tool: options.tool,
      server: BaseManifest.Server(
        version: version, versionNumber: connection.serverVersion,
        systemIdentifier: system.identifier, segmentSize: segmentSize, isStandby: isStandby),
      started: started, finished: .now(), timeline: end.timeline, start: stream.start.position,
      end: end.position, endTime: try serverTime(cancellation), includesWAL: options.includesWAL,
      tablespaces: stream.tablespaces.compactMap { tablespace in
        guard let oid = tablespace.oid, let location = tablespace.location else { return nil }
        return BaseManifest.Tablespace(oid: oid, location: location)
      },
      archives: stored.map {
        BaseManifest.Object(
          key: $0.key, size: $0.size, sha256: $0.sha256, plainSize: $0.plainSize)
      },
      index: side[0], serverManifest: side[1], settings: side[2],
      encryption: options.recipients.isEmpty ? nil : "age", parent: parent?.manifest.id)
    try cancellation.check()
    try store.put(
      layout.manifestKey(id), try manifest.encoded(),
      options: PutOptions(onlyIfAbsent: true, contentType: "application/json"))
    return manifest
  }

  private func readSettings(
    _ cancellation: Cancellation
  ) throws -> (ServerSettings, isStandby: Bool, version: String) {
    // Without a profile of our own, which would stand in front of the server's settings.
    let connection = try Connection(
      target, ConnectionOptions(applicationName: "pgkeep base backup", profile: .none),
      cancellation: cancellation)
    defer { connection.close() }
    let row = try connection.query(
      "SELECT pg_catalog.pg_is_in_recovery(), pg_catalog.current_setting('server_version')")
    return (try ServerSettings(connection), row.bool(0, 0), row.string(0, 1))
  }

  /// The server's clock. Nothing of the backup is later than it.
  private func serverTime(_ cancellation: Cancellation) throws -> ServerTime {
    let connection = try Connection(
      target, ConnectionOptions(applicationName: "pgkeep base backup"),
      cancellation: cancellation)
    defer { connection.close() }
    let row = try connection.query(
      """
      SELECT (extract(epoch FROM pg_catalog.clock_timestamp()) * 1000000)::pg_catalog.int8
      """)
    guard let microseconds = row.int(0, 0) else {
      throw PhysicalBackupError(.unexpectedAnswer, "the server does not tell its time")
    }
    return ServerTime(unixMicroseconds: Int64(microseconds))
  }

  private func storeSideObjects(
    _ layout: ClusterLayout, _ id: BackupID, _ index: BaseIndex, _ reception: BaseReception,
    _ settings: ServerSettings
  ) throws -> [BaseManifest.Object] {
    let contents: [(String, [UInt8], isCompressed: Bool)] = [
      (layout.indexKey(id), try index.encoded(), true),
      (layout.serverManifestKey(id), reception.serverManifest, true),
      (layout.settingsKey(id), try settings.encoded(), false),
    ]
    return try contents.map { key, plain, isCompressed in
      let bytes = isCompressed ? try SmallGzip.compress(plain) : plain
      try store.put(key, bytes)
      return BaseManifest.Object(
        key: key, size: bytes.count, sha256: Hex.encode(try Digest.hash(.sha256, bytes)),
        plainSize: plain.count)
    }
  }
}
