public import ByteStream
import Crypto
import Glibc
import ObjectStore
import Postgres

/// Puts a cluster back into a data directory, ready to recover to a target.
///
/// The directory cannot be mistaken for a whole cluster before it is one: `global/pg_control`,
/// without which no server starts, gets its name last.
public struct ClusterRestore: Sendable {
  public struct Options: Sendable {
    /// The data directory; made, or empty, unless ``isDelta``.
    public var dataDirectory: String
    /// Whether the data directory may be that of a stopped cluster of the same identifier, or of a
    /// restore that was not finished: files that are the same as in the backup stay.
    public var isDelta = false
    /// What PostgreSQL runs for each segment: `restore_command`, with `%f` and `%p`.
    public var restoreCommand: String
    /// Where tablespaces go, by their path on the source. Each path that is used must be empty or
    /// not there.
    public var tablespaces: [String: String] = [:]
    /// What happens at the target.
    public var action = TargetAction.promote
    /// Threads that download and unpack, and that verify.
    public var jobs = 4
    /// Whose everything becomes, when this process is root.
    public var owner: String?
    /// Whether files are made durable before the restore says that it is done.
    public var syncs = true
    /// Whether the WAL that recovery will need is read and checked beforehand.
    public var checksWAL = true

    public init(dataDirectory: String, restoreCommand: String) {
      self.dataDirectory = dataDirectory
      self.restoreCommand = restoreCommand
    }
  }

  /// `recovery_target_action`.
  public enum TargetAction: String, Hashable, Sendable, CaseIterable {
    case promote
    case pause
    case shutdown
  }

  /// What was done, and how long it took.
  public struct Report: Sendable {
    public var plan: RecoveryPlan
    /// Bytes of files.
    public var bytes = 0
    public var files = 0
    /// Bytes of stored archives that were asked of the store.
    public var fetchedBytes = 0
    /// With ``Options/isDelta``, where something was there.
    public var delta: Delta?
    /// Seconds of each phase, in order.
    public var phases: [(name: String, seconds: Double)] = []
    public var remarks: [String] = []
  }

  /// What became of what was in the data directory.
  public struct Delta: Sendable {
    /// Files that stayed, and their bytes.
    public var keptFiles: Int
    public var keptBytes: Int
    /// Bytes of the files that were written anew.
    public var rewrittenBytes: Int
    /// Files and links that the backup does not have.
    public var removedFiles: Int
  }

  private let catalog: PhysicalCatalog
  private let options: Options

  public init(_ catalog: PhysicalCatalog, options: Options) {
    self.catalog = catalog
    self.options = options
  }

  /// Restores. Blocks until the directory is whole; no server is started.
  ///
  /// - Parameter onBytes: told of bytes as they are unpacked, from any thread.
  /// - Throws: ``PhysicalBackupError`` or `ObjectStoreError`; where it had begun to write, the
  ///   directory then lacks `global/pg_control`, and the same restore can be run again with
  ///   ``Options/isDelta``, or once it is emptied.
  public func run(
    _ plan: RecoveryPlan, cancellation: Cancellation,
    onPhase: (String) -> Void = { _ in }, onBytes: @escaping @Sendable (Int) -> Void = { _ in }
  ) throws -> Report {
    var report = Report(plan: plan, remarks: plan.remarks)
    func phase<Result>(_ name: String, _ body: () throws -> Result) throws -> Result {
      try cancellation.check()
      onPhase(name)
      let start = ContinuousClock.now
      let result = try body()
      let taken = ContinuousClock.now - start
      report.phases.append(
        (name, Double(taken.components.seconds) + Double(taken.components.attoseconds) / 1e18))
      return result
    }
    let files = LocalFiles(owner: try options.owner.map { try LocalFiles.owner($0) })
    let base = plan.base
    guard let chain = catalog.chain(of: base) else {
      throw PhysicalBackupError(
        .damaged,
        "base \(base.id) holds the changes since a base backup that is not in "
          + "\(catalog.store.description)")
    }
    let settings = try ServerSettings(
      decoding: try read(base.settings, gzip: false), key: base.settings.key)
    let places = try RestorePlaces(
      base, dataDirectory: options.dataDirectory, mapping: options.tablespaces)
    var sources = try RestoreSources(try chain.map { try link($0) }, places)
    let delta = DeltaRestore(places, base, files, jobs: options.jobs, syncs: options.syncs)
    var isThere = false
    if options.isDelta { isThere = try delta.check() } else { try places.makeEmpty(files) }

    if options.checksWAL {
      try phase("check WAL") {
        try WALCheck(catalog, jobs: options.jobs).run(plan, cancellation: cancellation)
      }
    }
    let marker = try RestoreMarker(places, files)
    try marker.write(
      RestoreMarker.Content(
        systemIdentifier: base.server.systemIdentifier,
        tablespaces: Set(places.tablespaces.values)))
    report.files =
      sources.expected.count - sources.combinations.reduce(0) { $0 + $1.increments.count }
    report.bytes = sources.expected.reduce(0) { $0 + $1.file.size }
    if isThere {
      let found = try phase("compare") { try delta.run(sources, cancellation: cancellation) }
      sources.leaveOut(found.kept)
      report.remarks += found.remarks
      report.delta = Delta(
        keptFiles: found.kept.count, keptBytes: found.keptBytes,
        rewrittenBytes: report.bytes - found.keptBytes, removedFiles: found.removed)
    }
    report.fetchedBytes = try phase("unpack") {
      try BaseUnpack(
        store: catalog.store, files: files, jobs: options.jobs, onBytes: onBytes
      ).run(sources.parts, cancellation: cancellation)
    }
    try phase("verify") {
      try BaseVerification(jobs: options.jobs, syncs: options.syncs).run(
        sources.expected, cancellation: cancellation)
    }
    if chain.count > 1 {
      try phase("combine") {
        try BaseCombination(jobs: options.jobs, syncs: options.syncs).run(
          sources.combinations, cancellation: cancellation)
        let label = places.dataDirectory + "/backup_label"
        try files.write(label, BaseCombination.label(try LocalFiles.read(label)))
      }
    }
    try phase("configure") {
      report.remarks += try configure(files, settings, places, plan)
    }
    let directory = places.dataDirectory
    // Last: from now on a server can start here.
    try LocalFiles.rename(
      directory + "/" + RestorePlaces.hiddenControlFile,
      directory + "/" + RestorePlaces.controlFile)
    if options.syncs {
      for folder in sources.folders { try LocalFiles.sync(directory: folder) }
    }
    delta.finish()
    marker.remove()
    return report
  }

  /// Writes a file that only its owner reads, such as one that `restoreCommand` names, and makes
  /// the folders above it.
  ///
  /// - Parameter owner: whose it becomes, when this process is root.
  public static func writePrivate(_ path: String, _ bytes: [UInt8], owner: String?) throws {
    let files = LocalFiles(owner: try owner.map { try LocalFiles.owner($0) })
    if let slash = path.lastIndex(of: "/") { try files.makeDirectory(String(path[..<slash])) }
    try files.write(path, bytes, mode: 0o600)
  }

  /// Makes a folder that only its owner enters; it must not be there.
  public static func makePrivateDirectory(_ path: String, owner: String?) throws {
    guard mkdir(path, 0o700) == 0 else { throw LocalFiles.failure("make", path) }
    if let owner, geteuid() == 0 {
      let owner = try LocalFiles.owner(owner)
      guard chown(path, owner.user, owner.group) == 0 else {
        throw LocalFiles.failure("give away", path)
      }
    }
  }

  private func link(_ base: BaseManifest) throws -> RestoreSources.Link {
    let index = try BaseIndex(decoding: try read(base.index, gzip: true), key: base.index.key)
    let server = try ServerManifest(try read(base.serverManifest, gzip: true))
    return RestoreSources.Link(manifest: base, index: index, server: server)
  }

  private func read(_ object: BaseManifest.Object, gzip: Bool) throws -> [UInt8] {
    let bytes = try catalog.store.readAll(object.key, limit: 1 << 30)
    guard bytes.count == object.size,
      Hex.encode(try Digest.hash(.sha256, bytes)) == object.sha256
    else {
      throw PhysicalBackupError(
        .damaged, "\(object.key) in \(catalog.store.description) is not what was stored")
    }
    return gzip ? try SmallGzip.decompress(bytes, key: object.key) : bytes
  }

  /// - Returns: remarks for people.
  private func configure(
    _ files: LocalFiles, _ settings: ServerSettings, _ places: RestorePlaces, _ plan: RecoveryPlan
  ) throws -> [String] {
    let directory = places.dataDirectory
    var remarks: [String] = []
    if !places.tablespaces.isEmpty {
      // The server makes the links from this when recovery begins.
      let map = places.tablespaces.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)\n" }
        .joined()
      try files.write(directory + "/tablespace_map", Array(map.utf8))
    }
    let configuration = RestoredConfiguration(settings: settings)
    for (name, content) in [
      ("postgresql.conf", configuration.mainFile), ("pg_hba.conf", configuration.accessFile),
      ("pg_ident.conf", "# Written by pgkeep.\n"),
    ] where !LocalFiles.exists(directory + "/" + name) {
      try files.write(directory + "/" + name, Array(content.utf8))
      remarks.append("\(name) was not in the backup and was written from the server's settings")
    }
    let auto = directory + "/postgresql.auto.conf"
    var lines: [String] = []
    if LocalFiles.exists(auto) {
      // Settings of an earlier recovery would contradict ours.
      let old = String(decoding: try LocalFiles.read(auto), as: UTF8.self)
      lines = old.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        .filter { !$0.hasPrefix("recovery_target") && !$0.hasPrefix("restore_command") }
      while lines.last?.isEmpty ?? false { lines.removeLast() }
    }
    lines.append("# Written by pgkeep for the recovery to \(plan.target).")
    lines.append(RestoredConfiguration.line("restore_command", options.restoreCommand))
    for (name, value) in plan.settings {
      lines.append(RestoredConfiguration.line(name, value))
    }
    if plan.stop != .end {
      lines.append(
        RestoredConfiguration.line("recovery_target_action", options.action.rawValue))
    }
    try files.write(auto, Array((lines.joined(separator: "\n") + "\n").utf8))
    unlink(directory + "/" + RestorePlaces.hiddenStandbySignal)
    try files.write(directory + "/recovery.signal", [])
    return remarks
  }
}
