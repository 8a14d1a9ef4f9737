import Repository

/// What is inside the archives of a base backup, and where: what a parallel restore goes by.
public struct BaseIndex: Codable, Hashable, Sendable {
  public static let currentFormat = 1

  /// A gzip member of an archive.
  public struct Member: Codable, Hashable, Sendable {
    /// Bytes as stored.
    public var length: Int
    /// Bytes of tar.
    public var plain: Int

    public init(length: Int, plain: Int) {
      self.length = length
      self.plain = plain
    }

    public init(from decoder: any Decoder) throws {
      var container = try decoder.unkeyedContainer()
      length = try container.decode(Int.self)
      plain = try container.decode(Int.self)
    }

    public func encode(to encoder: any Encoder) throws {
      var container = encoder.unkeyedContainer()
      try container.encode(length)
      try container.encode(plain)
    }
  }

  /// One archive: the data directory, or a tablespace.
  public struct Archive: Codable, Hashable, Sendable {
    /// The server's name for it: `base.tar`, `16385.tar`.
    public var name: String
    /// The tablespace's OID; nil for the data directory.
    public var tablespace: String?
    /// In the order of the object.
    public var members: [Member]
    /// In the order of the archive.
    public var entries: [TarEntry]

    public init(name: String, tablespace: String?, members: [Member], entries: [TarEntry]) {
      self.name = name
      self.tablespace = tablespace
      self.members = members
      self.entries = entries
    }
  }

  public var format: Int
  public var archives: [Archive]

  public init(archives: [Archive]) {
    format = Self.currentFormat
    self.archives = archives
  }

  func encoded() throws -> [UInt8] { try StoredJSON.encode(self, pretty: false) }

  init(decoding bytes: [UInt8], key: String) throws {
    self = try StoredJSON.decode(
      BaseIndex.self, bytes, key: key, newest: Self.currentFormat)
    for archive in archives {
      let plain = archive.members.reduce(0) { $0 + $1.plain }
      guard archive.members.allSatisfy({ $0.length > 0 && $0.plain >= 0 }),
        archive.entries.allSatisfy({
          $0.size >= 0 && $0.offset >= 0 && $0.offset + $0.size <= plain
            && !$0.path.hasPrefix("/") && !$0.path.split(separator: "/").contains("..")
        })
      else {
        throw PhysicalBackupError(.damaged, "\(key) contradicts itself (archive \(archive.name))")
      }
    }
  }
}
