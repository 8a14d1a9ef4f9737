import Foundation
import TestSupport

/// The project's own `migrations/`.
enum SampleMigrations {
  /// One migration as it stands on disk.
  struct Pair {
    /// Version and name.
    let name: String
    let up: String
    let down: String
  }

  /// The folder that they are in.
  static let folder = ProjectRoot.path + "/migrations"

  /// All of them, by version.
  static func all() throws -> [Pair] {
    try FileManager.default.contentsOfDirectory(atPath: folder)
      .filter { $0.hasSuffix(".up.sql") }.map { String($0.dropLast(7)) }.sorted()
      .map {
        Pair(
          name: $0,
          up: try String(contentsOfFile: "\(folder)/\($0).up.sql", encoding: .utf8),
          down: try String(contentsOfFile: "\(folder)/\($0).down.sql", encoding: .utf8))
      }
  }

  /// The schema as pg_dump tells it, without migrate's own history, and less the key that pg_dump
  /// makes up anew each time.
  static func schema(of database: TemporaryDatabase) throws -> String {
    try database.dump(["--schema-only", "--exclude-schema=pgkeep"]).split(separator: "\n")
      .filter { !$0.hasPrefix("\\restrict") && !$0.hasPrefix("\\unrestrict") }
      .joined(separator: "\n")
  }
}
