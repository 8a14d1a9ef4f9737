/// What must be known to read an archive at all: `wal/archive.json`, written before its first
/// segment.
struct ArchiveFacts: Codable, Hashable, Sendable {
  static let currentFormat = 1

  var format = Self.currentFormat
  var systemIdentifier: String
  /// Bytes in a segment.
  var segmentSize: Int
  /// The server's major version when the archive was begun.
  var major: Int
}
