public import ObjectStore

/// What is known of one backup of a cluster's globals: its roles, their memberships and settings,
/// and its tablespaces, which belong to no database.
///
/// Stored as JSON beside the object, and written after it: no manifest, no backup.
public struct GlobalsManifest: Codable, Hashable, Sendable {
  /// The newest format that this version reads, and the one that it writes.
  public static let currentFormat = 1

  public var format: Int
  public var id: BackupID
  public var environment: String
  /// The version of pgkeep that wrote it.
  public var tool: String
  public var server: Manifest.Server
  public var started: UTCTime
  public var finished: UTCTime
  public var object: Manifest.Object
  /// The roles' names, in order.
  public var roles: [String]
  public var tablespaces: [String]
  /// Whether the roles' passwords are in it, as the hashes that the server keeps.
  public var passwords: Bool

  public init(
    names: GlobalsNames, tool: String, server: Manifest.Server, started: UTCTime,
    finished: UTCTime, object: Manifest.Object, roles: [String], tablespaces: [String],
    passwords: Bool
  ) {
    format = Self.currentFormat
    id = names.id
    environment = names.environment
    self.tool = tool
    self.server = server
    self.started = started
    self.finished = finished
    self.object = object
    self.roles = roles
    self.tablespaces = tablespaces
    self.passwords = passwords
  }

  /// Where its objects lie.
  public var names: GlobalsNames {
    GlobalsNames(
      environment: environment, systemIdentifier: server.systemIdentifier, id: id)
  }

  /// As stored.
  func encoded() throws -> [UInt8] { try StoredJSON.encode(self) }

  /// nil when the text is no manifest, or one of a newer pgkeep's.
  init?(decoding bytes: [UInt8]) {
    guard
      let manifest = try? StoredJSON.decode(
        GlobalsManifest.self, bytes, newest: Self.currentFormat),
      manifest.format >= 1
    else { return nil }
    self = manifest
  }
}
