public import ObjectStore
public import Postgres
public import Repository

/// What is known of one base backup. Written last: without it there is no backup.
public struct BaseManifest: Codable, Hashable, Sendable {
  /// 2 is that of incremental backups, which an older pgkeep must not take for whole ones.
  public static let currentFormat = 2
  /// Bytes; no manifest that we read is larger.
  static let largest = 16 << 20

  public struct Server: Codable, Hashable, Sendable {
    /// As the server writes it, for example `15.14 (Debian 15.14-0+deb12u1)`.
    public var version: String
    /// `server_version_num`.
    public var versionNumber: Int
    public var systemIdentifier: String
    /// Bytes in a WAL segment.
    public var segmentSize: Int
    /// Whether it was a standby.
    public var isStandby: Bool

    public init(
      version: String, versionNumber: Int, systemIdentifier: String, segmentSize: Int,
      isStandby: Bool
    ) {
      self.version = version
      self.versionNumber = versionNumber
      self.systemIdentifier = systemIdentifier
      self.segmentSize = segmentSize
      self.isStandby = isStandby
    }

    public var major: Int { versionNumber / 10_000 }
  }

  /// A tablespace other than the data directory.
  public struct Tablespace: Codable, Hashable, Sendable {
    public var oid: String
    /// The path on the server.
    public var location: String

    public init(oid: String, location: String) {
      self.oid = oid
      self.location = location
    }
  }

  /// An object that belongs to the backup.
  public struct Object: Codable, Hashable, Sendable {
    public var key: String
    /// Bytes as stored; of an encrypted object, those inside.
    public var size: Int
    /// SHA-256 of those bytes, in hexadecimal.
    public var sha256: String
    /// Bytes when decompressed.
    public var plainSize: Int

    public init(key: String, size: Int, sha256: String, plainSize: Int) {
      self.key = key
      self.size = size
      self.sha256 = sha256
      self.plainSize = plainSize
    }
  }

  public var format: Int
  public var id: BackupID
  public var label: String
  /// The version of pgkeep that wrote it.
  public var tool: String
  public var server: Server
  public var started: UTCTime
  public var finished: UTCTime
  /// The timeline that it began and ended on.
  public var timeline: UInt32
  /// Where recovery begins.
  public var start: String
  /// What recovery has to reach before the cluster is consistent.
  public var end: String
  /// The server's clock when the backup had ended: the first moment that it can be restored to, in
  /// microseconds since 1970-01-01 00:00 UTC.
  public var endTime: Int64
  /// Whether the archive holds the WAL from start to end.
  public var includesWAL: Bool
  public var tablespaces: [Tablespace]
  /// The archives, in the order of the index.
  public var archives: [Object]
  public var index: Object
  public var serverManifest: Object
  public var settings: Object
  /// `age` when all its objects are encrypted.
  public var encryption: String?
  /// The base backup that this one holds the changes since; nil for one that is whole by itself.
  public var parent: BackupID?

  public init(
    id: BackupID, label: String, tool: String, server: Server, started: UTCTime,
    finished: UTCTime, timeline: UInt32, start: LSN, end: LSN, endTime: ServerTime,
    includesWAL: Bool,
    tablespaces: [Tablespace], archives: [Object], index: Object, serverManifest: Object,
    settings: Object, encryption: String? = nil, parent: BackupID? = nil
  ) {
    format = parent == nil ? 1 : 2
    self.id = id
    self.label = label
    self.tool = tool
    self.server = server
    self.started = started
    self.finished = finished
    self.timeline = timeline
    self.start = start.description
    self.end = end.description
    self.endTime = endTime.unixMicroseconds
    self.includesWAL = includesWAL
    self.tablespaces = tablespaces
    self.archives = archives
    self.index = index
    self.serverManifest = serverManifest
    self.settings = settings
    self.encryption = encryption
    self.parent = parent
  }

  public var startPosition: LSN { LSN(start) ?? .zero }
  public var endPosition: LSN { LSN(end) ?? .zero }
  public var endServerTime: ServerTime { ServerTime(unixMicroseconds: endTime) }

  /// Bytes of all its objects.
  public var size: Int {
    archives.reduce(0) { $0 + $1.size } + index.size + serverManifest.size + settings.size
  }
  /// Bytes of its archives when decompressed.
  public var plainSize: Int { archives.reduce(0) { $0 + $1.plainSize } }

  public func encoded() throws -> [UInt8] { try StoredJSON.encode(self) }

  public init(decoding bytes: [UInt8], key: String) throws {
    self = try StoredJSON.decode(
      BaseManifest.self, bytes, key: key, newest: Self.currentFormat)
    guard let from = LSN(start), let to = LSN(end), from < to, timeline > 0,
      WALSegment.isSize(server.segmentSize), parent != id
    else { throw PhysicalBackupError(.damaged, "\(key) contradicts itself") }
  }
}
