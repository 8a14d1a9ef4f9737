import FoundationEssentials
public import Postgres
import Repository

/// The server's configuration as SQL shows it, for what a base backup does not hold: on Debian and
/// many images `postgresql.conf` and `pg_hba.conf` lie outside of the data directory.
public struct ServerSettings: Codable, Hashable, Sendable {
  public static let currentFormat = 1

  public struct Setting: Codable, Hashable, Sendable {
    public var value: String
    public var unit: String?
    /// Where the value comes from: `default`, `configuration file`, `command line`, …
    public var source: String
  }

  /// A line of `pg_hba.conf` as the server read it.
  public struct AccessRule: Codable, Hashable, Sendable {
    public var type: String
    public var databases: [String]
    public var users: [String]
    public var address: String?
    public var netmask: String?
    public var method: String
    public var options: [String]
  }

  public var format = Self.currentFormat
  public var dataDirectory: String?
  public var configFile: String?
  public var hbaFile: String?
  public var identFile: String?
  public var settings: [String: Setting] = [:]
  /// Nil where the role may not see them.
  public var accessRules: [AccessRule]?
  /// What could not be read, in words.
  public var missing: [String] = []
  /// Where the role may read it: each database's collation version as it was made.
  public var collationVersions: [String: String] = [:]

  /// What recovery on another machine needs at least as large as it was here.
  static let recoveryMinimums = [
    "max_connections", "max_worker_processes", "max_wal_senders", "max_prepared_transactions",
    "max_locks_per_transaction",
  ]

  /// Reads what the role may see.
  public init(_ connection: Connection) throws {
    let rows = try connection.query(
      "SELECT name, setting, unit, source FROM pg_catalog.pg_settings ORDER BY name")
    for row in 0..<rows.rowCount {
      settings[rows.string(row, 0)] = Setting(
        value: rows.string(row, 1), unit: rows[row, 2]?.string, source: rows.string(row, 3))
    }
    // The session profile is ours, not the server's.
    settings = settings.filter { $0.value.source != "session" && $0.value.source != "client" }
    dataDirectory = settings["data_directory"]?.value
    configFile = settings["config_file"]?.value
    hbaFile = settings["hba_file"]?.value
    identFile = settings["ident_file"]?.value
    if dataDirectory == nil { missing.append("settings that only pg_read_all_settings sees") }
    do {
      // One that has an error and a type is in force, such as hostssl while ssl is off.
      let rules = try connection.query(
        """
        SELECT type, pg_catalog.array_to_json(database), pg_catalog.array_to_json(user_name),
          address, netmask, auth_method, pg_catalog.array_to_json(options)
        FROM pg_catalog.pg_hba_file_rules WHERE type IS NOT NULL ORDER BY line_number
        """)
      accessRules = (0..<rules.rowCount).map { row in
        AccessRule(
          type: rules.string(row, 0), databases: Self.array(rules.string(row, 1)),
          users: Self.array(rules.string(row, 2)), address: rules[row, 3]?.string,
          netmask: rules[row, 4]?.string, method: rules.string(row, 5),
          options: Self.array(rules.string(row, 6)))
      }
    } catch let error as PostgresError where error.sqlState == .insufficientPrivilege {
      missing.append("pg_hba_file_rules")
    }
    let versions = try connection.query(
      """
      SELECT datname, datcollversion FROM pg_catalog.pg_database
      WHERE datcollversion IS NOT NULL
      """)
    for row in 0..<versions.rowCount {
      collationVersions[versions.string(row, 0)] = versions.string(row, 1)
    }
  }

  /// Whether a file of the configuration lies in the data directory, and so in the backup.
  func isInBackup(_ file: String?) -> Bool? {
    guard let file, let dataDirectory else { return nil }
    return file.hasPrefix(dataDirectory + "/")
  }

  private static func array(_ json: String) -> [String] {
    (try? JSONDecoder().decode([String].self, from: Data(json.utf8))) ?? []
  }

  func encoded() throws -> [UInt8] { try StoredJSON.encode(self) }

  init(decoding bytes: [UInt8], key: String) throws {
    self = try StoredJSON.decode(
      ServerSettings.self, bytes, key: key, newest: Self.currentFormat)
  }
}
