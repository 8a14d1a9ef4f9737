import Gzip

/// What a file is, as its first bytes tell.
public enum LogicalFileKind: Hashable, Sendable {
  /// A logical backup of pgkeep's.
  case pgkeep
  /// Some other gzip data: perhaps a plain dump.
  case gzip
  /// age-encrypted (C2SP age v1).
  case encrypted
  /// pg_dump's custom format (`-Fc`), which only pg_restore reads.
  case customArchive
  /// A tar archive, perhaps pg_dump's (`-Ft`).
  case tarArchive
  /// Anything else: perhaps a plain SQL script.
  case plain

  /// How many bytes it takes to tell.
  public static let prefixLength = 512

  /// - Parameter prefix: the file's first ``prefixLength`` bytes, or all that there are.
  public init(prefix: [UInt8]) {
    if prefix.starts(with: [0x1F, 0x8B]) {
      let header = try? GzipHeader.parse(prefix)
      self = header?.memberLength == nil ? .gzip : .pgkeep
    } else if prefix.starts(with: Array("age-encryption.org/".utf8)) {
      self = .encrypted
    } else if prefix.starts(with: Array("PGDMP".utf8)) {
      self = .customArchive
    } else if prefix.count >= 262, prefix[257..<262].elementsEqual(Array("ustar".utf8)) {
      self = .tarArchive
    } else {
      self = .plain
    }
  }
}
