public import ByteStream
public import ObjectStore
public import Postgres
public import Repository

/// Looks whether backups can be made and restored: the server, the store, and what is in it.
///
/// Changes nothing, apart from one small object in the store that is removed again. Each check is
/// bounded by ``Options/limit``, and one that fails does not keep the others from being made; what
/// cannot be looked at without a connection or a store is left out.
public struct Doctor: Sendable {
  public struct Options: Sendable {
    /// The longest time for one check.
    public var limit: Duration = .seconds(10)
    /// The most that may be lost with the server: how old the newest backup may be.
    public var recoveryPoint: Duration = .seconds(26 * 3600)
    /// How long ago the newest backup that passed a verification may have been verified.
    public var proofAge: Duration = .seconds(8 * 86_400)
    /// How long ago the newest drill that passed may have been: a month, and some days for it.
    public var drillAge: Duration = .seconds(35 * 86_400)
    /// What `backup prune` keeps.
    public var retention = RetentionPolicy()
    /// How many age recipients backups are encrypted to.
    public var recipients = 0
    /// Findings or areas to look at, such as `storage.reachable` or `database`; empty for all.
    public var only: [String] = []

    public init() {}
  }

  /// Every finding that there can be, in the order of the page.
  public static let names = [
    "database.connection", "database.version", "database.tls", "database.rights",
    "database.kinds", "database.clock", "database.synchronous", "database.collations",
    "database.lock_table",
    "storage.reachable", "storage.clock", "storage.write", "storage.list", "storage.read",
    "storage.conditional_write", "storage.delete", "storage.part_cap", "storage.object_lock",
    "storage.space",
    "backup.encryption", "backup.newest", "backup.wal", "backup.proof", "backup.drill",
    "backup.retention", "backup.deploy_overlap",
  ]

  private let target: ConnectionTarget
  private let store: StoreConfiguration
  private let environment: String
  private let options: Options

  /// - Parameter store: with its location and credentials; opened here, so that a store that is
  ///   out of reach is a finding.
  public init(
    _ target: ConnectionTarget, store: StoreConfiguration, environment: String, options: Options
  ) {
    self.target = target
    self.store = store
    self.environment = environment
    self.options = options
  }

  /// Makes all checks, blocking this thread.
  ///
  /// - Throws: only when the run is cancelled.
  public func examine(cancellation: Cancellation) throws -> HealthReport {
    // Threads that are left behind, and what hangs in the store, end with this.
    let ours = cancellation.child()
    defer { ours.cancel(reason: "the doctor is done") }
    let list = Checklist(only: options.only, limit: options.limit, cancellation: ours)
    var server: ServerFacts?
    if list.wantsArea("database") || list.wantsArea("backup") {
      server = try ServerCheckup(target, options, list).examine()
    }
    if list.wantsArea("storage") || list.wantsArea("backup") {
      let storage = StoreCheckup(store, environment: environment, list)
      let opened = try storage.examine(
        lockDays: store.s3.lockDays, keepDays: options.retention.keepDays)
      defer { opened?.stop.cancel(reason: "the doctor is done") }
      let backups = BackupCheckup(
        database: server?.database ?? target.database, environment: environment, options, list)
      try backups.examine(opened?.store, server)
      try storage.checkPartCap(opened, newestBackup: backups.newestSize)
      try storage.checkSpace(opened, newestBackup: backups.newestSize)
    }
    let order = Dictionary(
      Self.names.enumerated().map { ($0.element, $0.offset) }, uniquingKeysWith: { $1 })
    return HealthReport(
      list.findings.sorted { order[$0.name, default: .max] < order[$1.name, default: .max] })
  }
}
