import Crypto
import FoundationEssentials
import Postgres

/// The server's `backup_manifest`: every file of a base backup with its size and checksum
/// (PostgreSQL documentation, chapter 72, "Backup Manifest Format").
struct ServerManifest {
  struct File: Hashable, Sendable {
    var path: String
    var size: Int
    /// SHA-256; nil where the server was not asked for it.
    var sha256: [UInt8]?
  }

  var files: [File]
  /// The cluster's identifier, in manifests of version 2 (PostgreSQL 17).
  var systemIdentifier: String?

  private struct Content: Decodable {
    struct File: Decodable {
      var path: String?
      var encodedPath: String?
      var size: Int
      var algorithm: String?
      var checksum: String?

      private enum CodingKeys: String, CodingKey {
        case path = "Path"
        case encodedPath = "Encoded-Path"
        case size = "Size"
        case algorithm = "Checksum-Algorithm"
        case checksum = "Checksum"
      }
    }

    var version: Int
    var systemIdentifier: UInt64?
    var files: [File]

    private enum CodingKeys: String, CodingKey {
      case version = "PostgreSQL-Backup-Manifest-Version"
      case systemIdentifier = "System-Identifier"
      case files = "Files"
    }
  }

  /// - Throws: ``PhysicalBackupError/Code/damaged`` when it is not what its own checksum says.
  init(_ bytes: [UInt8]) throws {
    // The last line holds the checksum of all before it.
    let body = bytes.dropLast()
    guard let newline = body.lastIndex(of: UInt8(ascii: "\n")) else {
      throw Self.damaged("no lines")
    }
    let last = String(decoding: bytes[(newline + 1)...], as: UTF8.self)
    let quoted = last.split(separator: "\"", omittingEmptySubsequences: false)
    guard quoted.count >= 4, quoted[1] == "Manifest-Checksum", let said = Hex.decode(quoted[3])
    else { throw Self.damaged("it does not end in its checksum") }
    guard try Digest.hash(.sha256, Array(bytes[...newline])) == said else {
      throw Self.damaged("its checksum is wrong")
    }
    let content: Content
    do { content = try JSONDecoder().decode(Content.self, from: Data(bytes)) } catch {
      throw Self.damaged("it is not of the expected form", error)
    }
    guard content.version <= 2 else {
      throw PhysicalBackupError(
        .newerFormat,
        "the server's backup manifest has version \(content.version), and this "
          + "pgkeep knows 1 and 2")
    }
    systemIdentifier = content.systemIdentifier.map { "\($0)" }
    files = try content.files.map { file in
      let encoded = file.encodedPath.flatMap { Hex.decode($0) }
      guard let path = file.path ?? encoded.map({ String(decoding: $0, as: UTF8.self) }) else {
        throw Self.damaged("a file has no path")
      }
      let checksum = file.algorithm == "SHA256" ? file.checksum.flatMap { Hex.decode($0) } : nil
      return File(path: path, size: file.size, sha256: checksum)
    }
  }

  private static func damaged(_ what: String, _ cause: (any Error)? = nil) -> PhysicalBackupError {
    PhysicalBackupError(
      .damaged, "the server's backup manifest cannot be used: \(what)", cause: cause)
  }
}
