import ByteStream
import Foundation
import Glibc
import ObjectStore
import Postgres
import TestSupport
import Testing

@testable import PhysicalBackup

/// The store itself is killed or stopped at random moments, with the receiver and the server now
/// and then. What was confirmed is never lost, and the archive has no gap.
@Suite struct StoreKillTests {
  @Test(.enabled(if: PhysicalTesting.runsAll))
  func nothingThatWasConfirmedIsLost() throws {
    var random = SeededGenerator()
    let server = try S3Server(.seaweedFS)
    let bucket = try server.createBucket()
    let cluster = try TemporaryCluster(
      15, ClusterOptions(settings: ["full_page_writes": "on", "synchronous_commit": "on"]))
    var environment = server.environment
    environment["DATABASE_URL"] = cluster.url()
    environment["BACKUP_STORE"] = "s3://" + bucket
    environment["ENVIRONMENT"] = "test"
    let store = try StoreConfiguration.fromEnvironment(environment).open(
      cancellation: Cancellation())
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
    try wait("a slot") { try slot() > .zero }
    _ = try BaseBackup(
      ConnectionTarget(cluster.url()), to: store, environment: "test"
    ).run(cancellation: Cancellation())

    var row = 0
    var marks: [(row: Int, position: LSN)] = []
    var confirmed = LSN.zero
    func write() throws {
      // Sometimes a few segments at once, so that what happens falls into their upload.
      let size = Int.random(in: 0..<3, using: &random) == 0 ? 400_000 : 10
      row += 1
      try cluster.psql(
        """
        INSERT INTO ledger SELECT \(row), string_agg(md5(random()::text), '')
        FROM generate_series(1, \(size))
        """)
      marks.append((row, try #require(LSN(try cluster.psql("SELECT pg_current_wal_lsn()")))))
    }
    for round in 0..<12 {
      for _ in 0..<Int.random(in: 1...5, using: &random) {
        try write()
        usleep(UInt32.random(in: 0...400_000, using: &random))
      }
      let isKilled = Bool.random(using: &random)
      if isKilled { try server.kill() } else { server.pause() }
      // It goes on without its store, as far as it can; or is killed as well.
      for _ in 0..<2 { try write() }
      let other = Int.random(in: 0..<3, using: &random)
      if other == 1 {
        receiver.kill()
        receiver = try start()
      } else if other == 2 {
        try cluster.crash()
        try cluster.start()
      }
      usleep(UInt32.random(in: 0...1_000_000, using: &random))
      if isKilled { try server.restart() } else { server.resume() }
      // It finds its way back by itself.
      let written = marks[marks.count - 1].position
      try wait("row \(row), round \(round), seed \(random.seed): \(receiver.errorTextSoFar)") {
        try slot() >= written
      }
      confirmed = max(confirmed, try slot())
      let ranges = try #require(
        PhysicalCatalog(store, environment: "test", points: .none).wal
      ).ranges(timeline: 1)
      #expect(ranges.count == 1, "round \(round), seed \(random.seed)")
      #expect(try #require(ranges.last).end >= confirmed, "round \(round), seed \(random.seed)")
    }
    receiver.kill()
    try cluster.crash()
    let restored = try RestoredCluster(store, .latest, major: 15)
    let last = try #require(Int(try restored.psql("SELECT coalesce(max(row), 0) FROM ledger")))
    #expect(try restored.psql("SELECT count(*) FROM ledger") == "\(last)")
    for mark in marks where mark.position <= confirmed {
      #expect(mark.row <= last, "row \(mark.row), confirmed \(confirmed), seed \(random.seed)")
    }
    #expect(last > 0)
  }

  private func wait(_ what: @autoclosure () -> String, _ isDone: () throws -> Bool) throws {
    let limit = ContinuousClock.now + .seconds(300)
    while try !isDone() {
      guard ContinuousClock.now < limit else { throw TestSupportError("not in time: \(what())") }
      usleep(50_000)
    }
  }
}
