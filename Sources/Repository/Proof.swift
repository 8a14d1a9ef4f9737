public import ObjectStore

/// What a verification or a drill found about one backup. Stored beside the backups as JSON.
public struct Proof: Codable, Hashable, Sendable {
  public static let currentFormat = 1
  static let largest = 1 << 20

  public enum Kind: String, Codable, Hashable, Sendable, CaseIterable {
    /// The object was read back, and every member checked against the index and the manifest.
    case read
    /// It was restored into a scratch database, and that compared.
    case deep
    /// A restore was rehearsed and timed.
    case drill
  }

  public var format: Int
  public var backup: BackupID
  public var environment: String
  public var database: String
  public var kind: Kind
  /// When it was found, by the clock of the host that found it.
  public var time: UTCTime
  /// The version of pgkeep that found it.
  public var tool: String
  public var passed: Bool
  /// What failed, in words; empty when it passed.
  public var findings: [String]
  public var tables: Int
  public var rows: Int
  /// Bytes that were read from the store.
  public var bytes: Int
  public var seconds: Double
  /// The object's SHA-256 in hexadecimal, as it was found.
  public var sha256: String?

  public init(
    of names: BackupNames, kind: Kind, time: UTCTime, tool: String, passed: Bool,
    findings: [String] = [], tables: Int, rows: Int, bytes: Int, seconds: Double,
    sha256: String? = nil
  ) {
    format = Self.currentFormat
    backup = names.id
    environment = names.environment
    database = names.database
    self.kind = kind
    self.time = time
    self.tool = tool
    self.passed = passed
    self.findings = findings
    self.tables = tables
    self.rows = rows
    self.bytes = bytes
    self.seconds = seconds
    self.sha256 = sha256
  }

  /// `<UTC time>-<kind>-passed.json`, in a folder named for the backup. The outcome is in the
  /// name, so that a listing tells which ones are worth reading.
  var key: String {
    Self.prefix(
      of: BackupNames(environment: environment, database: database, id: backup))
      + "\(time.compact)-\(kind.rawValue)-\(passed ? "passed" : "failed").json"
  }

  /// All proofs about a backup are below this prefix.
  static func prefix(of names: BackupNames) -> String {
    Layout.proofsPrefix(environment: names.environment, database: names.database) + "\(names.id)/"
  }

  func encoded() throws -> [UInt8] { try StoredJSON.encode(self) }

  /// Nil for what is no proof that this version knows.
  init?(decoding bytes: [UInt8]) {
    guard
      let proof = try? StoredJSON.decode(Proof.self, bytes, newest: Self.currentFormat)
    else { return nil }
    self = proof
  }
}
