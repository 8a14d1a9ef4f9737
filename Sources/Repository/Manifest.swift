public import ObjectStore

/// What is known of one backup: the object beside it, the server, and a proof for each table.
///
/// Stored as JSON. Fields that this version does not know are passed over; a ``format`` that it
/// does not know is an error, so that it neither misreads nor deletes what a newer one wrote.
public struct Manifest: Codable, Hashable, Sendable {
  /// The newest format that this version reads, and the one that it writes.
  public static let currentFormat = 1
  /// Bytes; no manifest that we read is larger.
  static let largest = 64 << 20

  public enum Kind: String, Codable, Hashable, Sendable {
    /// A snapshot of one database as SQL.
    case logical
  }

  public struct Server: Codable, Hashable, Sendable {
    /// As the server writes it, for example `15.14 (Debian 15.14-0+deb12u1)`.
    public var version: String
    /// `server_version_num`.
    public var versionNumber: Int
    /// `pg_control_system()`'s, or nil where a role may not read it.
    public var systemIdentifier: String?

    public init(version: String, versionNumber: Int, systemIdentifier: String?) {
      self.version = version
      self.versionNumber = versionNumber
      self.systemIdentifier = systemIdentifier
    }
  }

  /// What `CREATE DATABASE` needs to make the like of the source.
  public struct DatabaseProperties: Codable, Hashable, Sendable {
    public var encoding: String
    public var collate: String
    public var ctype: String
    /// `libc`, `icu` or `builtin`.
    public var localeProvider: String
    /// The ICU or builtin locale, where the provider is not libc.
    public var locale: String?
    public var owner: String

    public init(
      encoding: String, collate: String, ctype: String, localeProvider: String, locale: String?,
      owner: String
    ) {
      self.encoding = encoding
      self.collate = collate
      self.ctype = ctype
      self.localeProvider = localeProvider
      self.locale = locale
      self.owner = owner
    }
  }

  /// The object that holds the backup.
  public struct Object: Codable, Hashable, Sendable {
    /// Its file name, in the manifest's own folder.
    public var name: String
    /// Bytes as stored.
    public var size: Int
    /// SHA-256 of the bytes as stored, in hexadecimal.
    public var sha256: String
    /// Bytes of the gzip chain before encryption; equal to ``size`` without.
    public var plainSize: Int
    /// Where the index begins in the gzip chain.
    public var indexOffset: Int
    /// `age`, or nil when it is not encrypted.
    public var encryption: String?
    /// How hard it was compressed: `fast` or `small`. Readers need not know.
    public var compression: String?

    public init(
      name: String, size: Int, sha256: String, plainSize: Int, indexOffset: Int,
      encryption: String? = nil, compression: String? = nil
    ) {
      self.name = name
      self.size = size
      self.sha256 = sha256
      self.plainSize = plainSize
      self.indexOffset = indexOffset
      self.encryption = encryption
      self.compression = compression
    }
  }

  /// What the backup was asked to hold.
  public struct Options: Codable, Hashable, Sendable {
    /// Whether something of the database was left out on purpose.
    public var partial: Bool
    /// What was left out or chosen, in words; empty when it is whole.
    public var selection: [String]

    public init(partial: Bool = false, selection: [String] = []) {
      self.partial = partial
      self.selection = selection
    }
  }

  public struct Table: Codable, Hashable, Sendable {
    public var schema: String
    public var name: String
    public var rows: Int
    /// The sum of the rows' hashes, in hexadecimal: docs/repository-format.md.
    public var hash: String
    /// Bytes of COPY text.
    public var bytes: Int

    public init(schema: String, name: String, rows: Int, hash: String, bytes: Int) {
      self.schema = schema
      self.name = name
      self.rows = rows
      self.hash = hash
      self.bytes = bytes
    }
  }

  public var format: Int
  public var id: BackupID
  public var kind: Kind
  public var environment: String
  public var database: String
  /// The version of pgkeep that wrote it.
  public var tool: String
  public var server: Server
  public var properties: DatabaseProperties
  public var started: UTCTime
  public var finished: UTCTime
  public var object: Object
  public var options: Options
  public var tables: [Table]
  public var sequences: Int
  public var largeObjects: Int
  /// The newest migration that was applied, where the database has pgkeep's history.
  public var migration: String?

  public init(
    names: BackupNames, kind: Kind = .logical, tool: String, server: Server,
    properties: DatabaseProperties, started: UTCTime, finished: UTCTime, object: Object,
    options: Options = Options(), tables: [Table], sequences: Int, largeObjects: Int,
    migration: String? = nil
  ) {
    format = Self.currentFormat
    id = names.id
    environment = names.environment
    database = names.database
    self.kind = kind
    self.tool = tool
    self.server = server
    self.properties = properties
    self.started = started
    self.finished = finished
    self.object = object
    self.options = options
    self.tables = tables
    self.sequences = sequences
    self.largeObjects = largeObjects
    self.migration = migration
  }

  /// All tables' rows.
  public var rows: Int { tables.reduce(0) { $0 + $1.rows } }

  /// Where its objects lie.
  public var names: BackupNames {
    BackupNames(environment: environment, database: database, id: id)
  }

  // MARK: JSON

  /// As stored.
  public func encoded() throws -> [UInt8] { try StoredJSON.encode(self) }

  /// Reads a stored manifest. Throws ``RepositoryError/Code/newerFormat`` or
  /// ``RepositoryError/Code/damaged``.
  public init(decoding bytes: [UInt8]) throws {
    do {
      self = try StoredJSON.decode(Manifest.self, bytes, newest: Self.currentFormat)
    } catch {
      switch error {
      case .newerFormat(let format):
        throw RepositoryError(
          .newerFormat,
          "written by a newer pgkeep: manifest format \(format), and this one knows "
            + "\(Self.currentFormat)")
      case .unreadable(let words): throw RepositoryError(.damaged, "not a manifest: \(words)")
      }
    }
    try check()
  }

  private func check() throws {
    let key = names.dataKey(encrypted: object.encryption != nil)
    guard format >= 1, object.size >= 0, object.plainSize >= 0,
      (0...object.plainSize).contains(object.indexOffset), key.hasSuffix("/" + object.name),
      tables.allSatisfy({ $0.rows >= 0 && $0.bytes >= 0 }), sequences >= 0, largeObjects >= 0
    else {
      throw RepositoryError(.damaged, "the manifest contradicts itself")
    }
  }
}
