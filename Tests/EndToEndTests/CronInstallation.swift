import Foundation
import TestSupport

/// The files of `cron/` as an operator installs them, with `/opt/pgkeep` and `/etc/pgkeep` being
/// folders of a temporary directory.
struct CronInstallation {
  let directory: TestDirectory

  /// What `/opt/pgkeep` and `/etc/pgkeep` have become.
  var program: String { directory.file("opt") }
  var settings: String { directory.file("etc") }

  init() throws {
    directory = try TestDirectory()
    let files = FileManager.default
    for path in [program, settings] {
      try files.createDirectory(atPath: path, withIntermediateDirectories: true)
    }
    try files.createSymbolicLink(
      atPath: program + "/bin", withDestinationPath: BuiltExecutable.directory)
    try files.createSymbolicLink(
      atPath: program + "/cron", withDestinationPath: ProjectRoot.path + "/cron")
    try directory.write("", to: "opt/README.md")
  }

  /// Writes the environment file of one database, as `cron/example.env` shows it.
  func writeEnvironment(_ name: String, _ values: [String: String]) throws {
    let lines = values.sorted { $0.key < $1.key }.map { "\($0.key)='\($0.value)'" }
    try directory.write(lines.joined(separator: "\n") + "\n", to: "etc/\(name).env")
  }

  /// The text of a file of `cron/`, with the two folders put in.
  func text(_ name: String) throws -> String {
    try String(contentsOfFile: "\(ProjectRoot.path)/cron/\(name)", encoding: .utf8)
      .replacingOccurrences(of: "/opt/pgkeep", with: program)
      .replacingOccurrences(of: "/etc/pgkeep", with: settings)
  }

  /// The names of the manifests that a directory store holds for a database.
  static func manifests(
    in store: TestDirectory, environment: String, database: String
  ) throws -> [String] {
    try store.names(in: "\(environment)/\(database)/logical").filter { $0.hasSuffix(".json") }
  }
}
