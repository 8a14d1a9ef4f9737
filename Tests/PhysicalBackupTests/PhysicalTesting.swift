import Foundation
import TestSupport

/// What several of these tests need.
enum PhysicalTesting {
  /// Whether the long tests run too.
  static let runsAll = ProcessInfo.processInfo.environment["PGKEEP_TEST_ALL"] == "1"
  /// The versions that physical backups are tested on: the oldest and the newest unless all is
  /// asked for.
  static let majors = TemporaryCluster.installedMajors.filter {
    runsAll ? $0 != 16 : $0 == 15 || $0 == 18
  }

  /// Lets user `postgres` use a file or folder, when the tests run as root.
  static func giveToPostgres(_ path: String) throws {
    guard geteuid() == 0 else { return }
    try Command.check("chown", ["-R", "postgres:postgres", path])
  }
}

extension PhysicalTesting {
  /// A server that does not recycle the WAL that a test wants to look at.
  static let keepingWAL = ClusterOptions(settings: ["wal_keep_size": "2GB"])
}
