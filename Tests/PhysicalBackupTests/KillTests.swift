import ByteStream
import Foundation
import Glibc
import ObjectStore
import Postgres
import TestSupport
import Testing

@testable import PhysicalBackup

/// Receiver and server are killed at random moments. What was confirmed is never lost, and the
/// archive has no gap.
@Suite struct KillTests {
  @Test func nothingThatWasConfirmedIsLost() throws {
    var random = SeededGenerator()
    let directory = try TestDirectory()
    let cluster = try TemporaryCluster(
      15, ClusterOptions(settings: ["full_page_writes": "on", "synchronous_commit": "on"]))
    let store = try DirectoryStore(path: directory.file("store"))
    let environment = [
      "DATABASE_URL": cluster.url(), "BACKUP_STORE": "file://" + directory.file("store"),
      "ENVIRONMENT": "test",
    ]
    func start() throws -> RunningCommand {
      try Command.start(
        BuiltExecutable.backup, ["wal", "--tail-interval", "1"], environment: environment)
    }
    func slot() throws -> LSN {
      LSN(
        try cluster.psql(
          "SELECT restart_lsn FROM pg_replication_slots WHERE slot_name = 'pgkeep'")) ?? .zero
    }
    try cluster.psql("CREATE TABLE ledger (row int PRIMARY KEY, text text)")
    var receiver = try start()
    defer { receiver.kill() }
    while try slot() == .zero { usleep(100_000) }
    _ = try BaseBackup(
      ConnectionTarget(cluster.url()), to: store, environment: "test"
    ).run(cancellation: Cancellation())

    var row = 0
    /// After which row the log stood where.
    var marks: [(row: Int, position: LSN)] = []
    var confirmed = LSN.zero
    for round in 0..<(PhysicalTesting.runsAll ? 50 : 4) {
      for _ in 0..<Int.random(in: 1...8, using: &random) {
        // Sometimes a few segments at once, so that a kill falls into their upload.
        let size = Int.random(in: 0..<4, using: &random) == 0 ? 400_000 : 10
        row += 1
        try cluster.psql(
          """
          INSERT INTO ledger SELECT \(row), string_agg(md5(random()::text), '')
          FROM generate_series(1, \(size))
          """)
        let position = try cluster.psql("SELECT pg_current_wal_lsn()")
        marks.append((row, try #require(LSN(position))))
        usleep(UInt32.random(in: 0...400_000, using: &random))
      }
      confirmed = max(confirmed, try slot())
      switch Int.random(in: 0..<4, using: &random) {
      case 0:
        receiver.kill()
        receiver = try start()
      case 1:
        try cluster.crash()
        try cluster.start()
      case 2:
        receiver.kill()
        try cluster.crash()
        try cluster.start()
        receiver = try start()
      default:
        receiver.signal(SIGTERM)
        let ended = try receiver.wait(timeout: .seconds(600))
        #expect(ended.ending == .exited(0), "\(ended.errorText)")
        receiver = try start()
      }
      let catalog = try PhysicalCatalog(store, environment: "test")
      let ranges = try #require(catalog.wal).ranges(timeline: 1)
      #expect(ranges.count == 1, "round \(round), seed \(random.seed)")
      #expect(try #require(ranges.last).end >= confirmed, "round \(round), seed \(random.seed)")
    }
    // The host is lost: only the store is left.
    receiver.kill()
    confirmed = max(confirmed, try slot())
    try cluster.crash()
    let restored = try RestoredCluster(store, .latest, major: 15)
    let last = try #require(Int(try restored.psql("SELECT coalesce(max(row), 0) FROM ledger")))
    #expect(try restored.psql("SELECT count(*) FROM ledger") == "\(last)")
    for mark in marks where mark.position <= confirmed {
      #expect(mark.row <= last, "row \(mark.row), confirmed \(confirmed), seed \(random.seed)")
    }
    #expect(confirmed > .zero && last > 0)
  }
}
