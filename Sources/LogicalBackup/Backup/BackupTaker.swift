public import Age
public import ByteStream
public import Gzip
import ObjectStore
public import Postgres
public import Repository

/// Takes a logical backup of a database into a repository: the object first, then, when all of it
/// is durable, the manifest that makes it a backup.
///
/// Blocks the calling thread. Two runs at once make two backups: their names do not collide.
public struct BackupTaker: Sendable {
  /// What is asked for.
  public struct Options: Sendable {
    /// Connections that read at once; nil for a number that suits machine and server.
    public var jobs: Int?
    /// Take the backup although the newest one of that name is of another server.
    public var adopts = false
    /// The longest wait, in all, for the tables' locks.
    public var lockWait: Duration = .seconds(60)
    /// Take a server of a newer major version than is known.
    public var takesUntestedServers = false
    public var compression = CompressionLevel.fast
    /// Whom the object is encrypted to; nobody when empty.
    public var recipients: [AgeRecipient] = []
    /// Called for each session that waits for the backup to end, from a thread of its own.
    public var onWaiting: (@Sendable (WaitingSession) -> Void)?
    /// What of the database; all of it by default.
    public var selection = ExportSelection()
    /// A role to read as.
    public var role: String?
    /// The version of the tool, for the manifest.
    public var tool: String

    public init(tool: String) { self.tool = tool }
  }

  private let target: ConnectionTarget
  private let repository: BackupRepository
  private let options: Options
  private let cancellation: Cancellation
  private let progress: @Sendable (ExportProgress) -> Void

  /// - Parameter progress: called often, from several threads.
  public init(
    _ target: ConnectionTarget, into repository: BackupRepository, _ options: Options,
    cancellation: Cancellation, progress: @escaping @Sendable (ExportProgress) -> Void = { _ in }
  ) {
    self.target = target
    self.repository = repository
    self.options = options
    self.cancellation = cancellation
    self.progress = progress
  }

  /// Takes the backup.
  ///
  /// - Returns: the manifest, which is in the store when this returns.
  /// - Throws: ``LogicalBackupError``, `PostgresError`, `RepositoryError`, `ObjectStoreError`.
  ///   Nothing of the failed backup is then visible as one.
  public func take() throws -> Manifest {
    let started = UTCTime.now()
    let source = try Source(target, cancellation)
    if !options.adopts {
      try repository.checkServer(
        systemIdentifier: source.systemIdentifier, database: source.database)
    }
    let names = try repository.newBackup(of: source.database, at: started)
    var export = ExportOptions(id: names.id.description, tool: options.tool)
    export.jobs = options.jobs
    export.snapshot.lockWait = options.lockWait
    export.onWaiting = options.onWaiting
    export.selection = options.selection
    export.role = options.role
    export.takesUntestedServers = options.takesUntestedServers
    export.compression = options.compression
    // All of a run goes to the host that answered first, when there are several.
    let exporter = LogicalExporter(
      source.target, export, cancellation: cancellation, progress: progress)
    let key = names.dataKey(encrypted: !options.recipients.isEmpty)
    var sink: HashingSink?
    let result = try exporter.export { expectedSize in
      let made = try HashingSink(
        try repository.store.writer(
          key,
          options: WriteOptions(
            expectedSize: expectedSize,
            contentType: options.recipients.isEmpty
              ? "application/gzip" : "application/octet-stream",
            cancellation: cancellation)))
      sink = made
      return options.recipients.isEmpty ? made : try AgeSink(to: options.recipients, into: made)
    }
    let manifest = Manifest(
      names: names, tool: options.tool,
      server: .init(
        version: result.facts.serverVersion, versionNumber: result.facts.serverVersionNumber,
        systemIdentifier: result.facts.systemIdentifier),
      properties: Self.properties(result.facts), started: started, finished: .now(),
      object: .init(
        name: String(key.split(separator: "/").last ?? ""), size: sink?.count ?? 0,
        sha256: sink?.sha256 ?? "", plainSize: result.size, indexOffset: result.indexOffset,
        encryption: options.recipients.isEmpty ? nil : "age",
        compression: options.compression == .fast ? "fast" : "small"),
      options: .init(partial: result.facts.isPartial, selection: result.facts.selection),
      tables: result.tables.map { Manifest.Table($0) }, sequences: result.totals.sequences,
      largeObjects: result.totals.largeObjects, migration: result.facts.migration)
    try cancellation.check()
    do { try repository.writeManifest(manifest) } catch {
      // Without its manifest it is no backup: the room is given back. Where nobody can say whether
      // the manifest is there, or arrives later, both stay: then it is a whole backup; and prune
      // knows what to do with an object that lacks one.
      let isUncertain = (error as? ObjectStoreError)?.isUncertain ?? false
      if !isUncertain,
        case .success(nil) = Result(catching: { try repository.store.info(names.manifestKey) })
      {
        try? repository.store.delete(key)
      }
      throw error
    }
    return manifest
  }

  private static func properties(_ facts: BackupFacts) -> Manifest.DatabaseProperties {
    .init(
      encoding: facts.encoding, collate: "\(facts.collate)", ctype: "\(facts.ctype)",
      localeProvider: facts.localeProvider, locale: facts.locale.map { "\($0)" },
      owner: "\(facts.owner)")
  }

  /// What has to be known of the database before a name for its backup can be found.
  private struct Source {
    var target: ConnectionTarget
    var database: String
    var systemIdentifier: String?

    init(_ target: ConnectionTarget, _ cancellation: Cancellation) throws {
      let connection = try Connection(
        target, ConnectionOptions(applicationName: LogicalExporter.applicationName),
        cancellation: cancellation)
      defer { connection.close() }
      self.target = connection.target
      database = try connection.query("SELECT pg_catalog.current_database()").string(0, 0)
      systemIdentifier = try ServerFacts.read(connection).systemIdentifier
    }
  }
}
