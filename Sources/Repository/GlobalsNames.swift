/// The keys of one backup of a cluster's globals.
public struct GlobalsNames: Hashable, Sendable {
  public let environment: String
  /// nil where the role may not read it.
  public let systemIdentifier: String?
  public let id: BackupID

  public init(environment: String, systemIdentifier: String?, id: BackupID) {
    self.environment = environment
    self.systemIdentifier = systemIdentifier
    self.id = id
  }

  static let folder = "/globals/"
  static let manifestSuffix = ".json"

  private var stem: String {
    let cluster = Layout.clusterPrefix(
      environment: environment, systemIdentifier: systemIdentifier ?? "unknown")
    return cluster + Self.folder.dropFirst() + id.description
  }

  /// The manifest, which is written last.
  public var manifestKey: String { stem + Self.manifestSuffix }

  /// The statements.
  public func dataKey(encrypted: Bool) -> String { stem + (encrypted ? ".sql.gz.age" : ".sql.gz") }
}
