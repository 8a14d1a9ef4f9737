public import ObjectStore
public import Repository

/// What a drill has found: whether a cluster could be recovered from its base backup and WAL, and
/// how long that took. Stored beside the base backup, and deleted with it.
public struct DrillReport: Codable, Hashable, Sendable {
  public static let currentFormat = 1

  public struct Phase: Codable, Hashable, Sendable {
    public var name: String
    public var seconds: Double

    public init(name: String, seconds: Double) {
      self.name = name
      self.seconds = seconds
    }
  }

  public struct Database: Codable, Hashable, Sendable {
    public var name: String
    public var tables: Int
    public var rows: Int

    public init(name: String, tables: Int, rows: Int) {
      self.name = name
      self.tables = tables
      self.rows = rows
    }
  }

  public var format = Self.currentFormat
  public var base: BackupID
  public var systemIdentifier: String
  public var started: UTCTime
  /// The version of pgkeep.
  public var tool: String
  /// Where recovery was to end, in words.
  public var target: String
  /// Bytes of the base backup when unpacked.
  public var bytes: Int
  /// WAL segments that recovery read.
  public var segments: Int
  public var phases: [Phase] = []
  /// From the beginning to a server that takes statements: the recovery time. Nil when it was not
  /// reached.
  public var recoverySeconds: Double?
  /// Everything, checks included.
  public var totalSeconds = 0.0
  public var databases: [Database] = []
  /// Whether every table and index was checked by `pg_amcheck`; else why not.
  public var pagesChecked = false
  public var remarks: [String] = []
  /// What failed, a sentence each; none when it passed.
  public var findings: [String] = []

  public var passed: Bool { findings.isEmpty }

  public init(
    base: BackupID, systemIdentifier: String, started: UTCTime, tool: String, target: String,
    bytes: Int, segments: Int
  ) {
    self.base = base
    self.systemIdentifier = systemIdentifier
    self.started = started
    self.tool = tool
    self.target = target
    self.bytes = bytes
    self.segments = segments
  }

  /// Keeps the report in a store.
  ///
  /// - Returns: its key.
  @discardableResult
  public func store(in store: any ObjectStore, environment: String) throws -> String {
    let layout = ClusterLayout(environment: environment, systemIdentifier: systemIdentifier)
    let key = layout.drillKey(base, try BackupID(at: started), passed: passed)
    try store.put(
      key, try StoredJSON.encode(self),
      options: PutOptions(onlyIfAbsent: true, contentType: "application/json"))
    return key
  }

  /// The newest report of a base backup; nil when there was no drill.
  public static func newest(
    of base: BackupID, in store: any ObjectStore, environment: String, systemIdentifier: String
  ) throws -> DrillReport? {
    let layout = ClusterLayout(environment: environment, systemIdentifier: systemIdentifier)
    let keys = try store.list(prefix: layout.drillPrefix(base)).map(\.key)
    guard let key = keys.max() else { return nil }
    return try StoredJSON.decode(
      DrillReport.self, store.readAll(key, limit: 1 << 20), key: key, newest: currentFormat)
  }
}
