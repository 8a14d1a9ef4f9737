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
    /// The data directory; made, or empty.
    public var dataDirectory: String
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
    /// Seconds of each phase, in order.
    public var phases: [(name: String, seconds: Double)] = []
    public var remarks: [String] = []
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
  /// - Throws: ``PhysicalBackupError`` or `ObjectStoreError`; the directory then lacks
  ///   `global/pg_control`, and the same restore can be run again once it is emptied.
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
    let index = try BaseIndex(decoding: try read(base.index, gzip: true), key: base.index.key)
    let server = try ServerManifest(try read(base.serverManifest, gzip: true))
    let settings = try ServerSettings(
      decoding: try read(base.settings, gzip: false), key: base.settings.key)
    let places = try tablespaces(base)
    try prepare(files, [options.dataDirectory] + places.values)

    if options.checksWAL {
      try phase("check WAL") {
        try WALCheck(catalog, jobs: options.jobs).run(plan, cancellation: cancellation)
      }
    }
    let parts = try parts(base, index, places)
    try phase("unpack") {
      try BaseUnpack(
        store: catalog.store, files: files, jobs: options.jobs, onBytes: onBytes
      ).run(parts, cancellation: cancellation)
    }
    let directory = options.dataDirectory
    try phase("verify") {
      try BaseVerification(jobs: options.jobs, syncs: options.syncs).run(
        server, cancellation: cancellation
      ) { Self.path($0, directory, places) }
    }
    try phase("configure") {
      report.remarks += try configure(files, base, index, settings, places, plan)
    }
    report.files = server.files.count
    report.bytes = server.files.reduce(0) { $0 + $1.size }
    // Last: from now on a server can start here.
    try LocalFiles.rename(
      directory + "/" + Self.hiddenControlFile, directory + "/" + Self.controlFile)
    if options.syncs {
      for name in ["", "/global"] { try LocalFiles.sync(directory: directory + name) }
    }
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

  private static let controlFile = "global/pg_control"
  private static let hiddenControlFile = "global/pg_control.pgkeep-restoring"
  private static let hiddenStandbySignal = "standby.signal.pgkeep-restoring"
  /// Names that files have until all is done. A standby's own signal never gets its name back: it
  /// would make a standby of what is restored.
  private static let hidden = [
    controlFile: hiddenControlFile, "standby.signal": hiddenStandbySignal,
  ]

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

  /// Where each tablespace goes, by its OID.
  private func tablespaces(_ base: BaseManifest) throws -> [String: String] {
    var places: [String: String] = [:]
    for tablespace in base.tablespaces {
      places[tablespace.oid] = options.tablespaces[tablespace.location] ?? tablespace.location
    }
    for (from, _) in options.tablespaces
    where !base.tablespaces.contains(where: { $0.location == from }) {
      let known = base.tablespaces.map(\.location).joined(separator: ", ")
      throw PhysicalBackupError(
        .localPlace,
        "the backup has no tablespace at \(from)"
          + (known.isEmpty ? "; it has none" : "; it has \(known)"))
    }
    return places
  }

  private func prepare(_ files: LocalFiles, _ directories: [String]) throws {
    for directory in directories {
      guard directory.hasPrefix("/") else {
        throw PhysicalBackupError(.localPlace, "\(directory) is not an absolute path")
      }
      if let names = try LocalFiles.names(directory), !names.isEmpty {
        throw PhysicalBackupError(
          .localPlace,
          "\(directory) is not empty (it has \(names.sorted().prefix(3).joined(separator: ", "))"
            + "); nothing was changed. Name another place, or move what is there away")
      }
      try files.makeDirectory(directory)
      // PostgreSQL wants its directory to be nobody else's.
      chmod(directory, 0o700)
      if let owner = files.owner, geteuid() == 0 { chown(directory, owner.user, owner.group) }
    }
  }

  private func parts(
    _ base: BaseManifest, _ index: BaseIndex, _ places: [String: String]
  ) throws -> [BaseUnpack.Part] {
    guard index.archives.count == base.archives.count else {
      throw PhysicalBackupError(.damaged, "the backup's manifest and index do not belong together")
    }
    return try zip(index.archives, base.archives).map { archive, object in
      guard let oid = archive.tablespace else {
        return BaseUnpack.Part(
          key: object.key, archive: archive, directory: options.dataDirectory,
          renamed: Self.hidden)
      }
      guard let place = places[oid] else {
        throw PhysicalBackupError(.damaged, "the backup has a tablespace \(oid) without a place")
      }
      return BaseUnpack.Part(key: object.key, archive: archive, directory: place)
    }
  }

  /// Where a file of the server's manifest lies.
  private static func path(
    _ name: String, _ directory: String, _ places: [String: String]
  ) -> String {
    if let other = hidden[name] { return directory + "/" + other }
    let parts = name.split(separator: "/", maxSplits: 2)
    if parts.count == 3, parts[0] == "pg_tblspc", let place = places[String(parts[1])] {
      return place + "/" + parts[2]
    }
    return directory + "/" + name
  }

  /// - Returns: remarks for people.
  private func configure(
    _ files: LocalFiles, _ base: BaseManifest, _ index: BaseIndex, _ settings: ServerSettings,
    _ places: [String: String], _ plan: RecoveryPlan
  ) throws -> [String] {
    let directory = options.dataDirectory
    var remarks: [String] = []
    if !places.isEmpty {
      // The server makes the links from this when recovery begins.
      let map = places.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)\n" }.joined()
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
    unlink(directory + "/" + Self.hiddenStandbySignal)
    try files.write(directory + "/recovery.signal", [])
    return remarks
  }
}
