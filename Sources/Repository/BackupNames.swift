/// The keys of one logical backup's objects.
public struct BackupNames: Hashable, Sendable {
  public let environment: String
  public let database: String
  public let id: BackupID

  public init(environment: String, database: String, id: BackupID) {
    self.environment = environment
    self.database = database
    self.id = id
  }

  static let manifestSuffix = ".json"
  static let dataSuffixes = [".sql.gz", ".sql.gz.age"]

  /// The manifest, which is written last and deleted first.
  public var manifestKey: String { stem + Self.manifestSuffix }

  /// The rows and the schema.
  public func dataKey(encrypted: Bool) -> String {
    stem + Self.dataSuffixes[encrypted ? 1 : 0]
  }

  private var stem: String {
    Layout.logicalPrefix(environment: environment, database: database) + id.description
  }

  /// What a key of a logical backup stands for; nil for every other key.
  init?(key: String) {
    let parts = key.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 4, parts[2] == "logical", parts[1] != Layout.cluster,
      let environment = Layout.name(ofComponent: parts[0]),
      let database = Layout.name(ofComponent: parts[1]),
      let id = BackupID(parts[3].prefix { $0 != "." })
    else { return nil }
    self.init(environment: environment, database: database, id: id)
    guard key == manifestKey || Self.isData(key, self) else { return nil }
  }

  private static func isData(_ key: String, _ names: BackupNames) -> Bool {
    key == names.dataKey(encrypted: false) || key == names.dataKey(encrypted: true)
  }
}
