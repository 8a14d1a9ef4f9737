import ByteStream
import Foundation
import ObjectStore
import Postgres
import TestSupport
import Testing

@testable import PhysicalBackup

/// Timelines: what was archived of each can be recovered, up to a moment of each.
@Suite struct FailoverTests {
  @Test func eachTimelineCanBeRecovered() throws {
    var random = SeededGenerator()
    let directory = try TestDirectory()
    let store = try DirectoryStore(path: directory.file("store"))
    let cluster = try TemporaryCluster(15)
    let receiver = try TestReceiver(cluster, store)
    try receiver.start()
    let ledger = try Ledger(cluster)
    try ledger.write(10, seed: &random)
    _ = try BaseBackup(
      ConnectionTarget(cluster.url()), to: store, environment: "test"
    ).run(cancellation: Cancellation())
    try ledger.write(30, seed: &random)
    let first = try #require(ledger.marks.last)
    // The old primary goes on after the moment that the new one leaves it.
    try ledger.write(10, seed: &random)
    try receiver.waitUntilConfirmed(cluster.walFlushed())
    try receiver.stop()
    try cluster.crash()

    // Recovered to a moment on timeline 1: that begins timeline 2. Twice: a third one.
    var rows = first.row
    var moments: [(timeline: UInt32, time: ServerTime, row: Int)] = [(1, first.time, first.row)]
    for timeline in [UInt32(2), 3] {
      let restored = try RestoredCluster(
        store, timeline == 2 ? .time(first.time) : .latest, major: 15)
      #expect(try restored.rows() == "\(rows)|1|\(rows)")
      let next = try TestReceiver(restored.target, store)
      try next.start()
      for _ in 0..<20 {
        rows += 1
        _ = try restored.psql("INSERT INTO ledger VALUES (\(rows), clock_timestamp())")
      }
      let now = try restored.psql("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::int8")
      moments.append(
        (timeline, ServerTime(unixMicroseconds: Int64(now) ?? 0), rows))
      _ = try restored.psql("INSERT INTO ledger VALUES (\(rows + 1), clock_timestamp())")
      let end = try restored.psql("SELECT pg_current_wal_lsn()")
      rows += 1
      try next.waitUntilConfirmed(try #require(LSN(end)))
      try next.stop()
    }
    let catalog = try PhysicalCatalog(store, environment: "test")
    #expect(catalog.timelines == [1, 2, 3])
    #expect(catalog.histories.keys.sorted() == [1, 2, 3])
    for moment in moments {
      let restored = try RestoredCluster(
        store, .time(moment.time), major: 15, timeline: moment.timeline)
      #expect(try restored.rows() == "\(moment.row)|1|\(moment.row)", "\(moment)")
    }
    // The newest timeline is the default, and knows nothing of what the old primary did last.
    let newest = try RestoredCluster(store, .latest, major: 15)
    #expect(try newest.rows() == "\(rows)|1|\(rows)")
  }

  @Test func aPromotedStandbyIsFollowed() throws {
    var random = SeededGenerator()
    let directory = try TestDirectory()
    try PhysicalTesting.giveToPostgres(directory.path)
    let store = try DirectoryStore(path: directory.file("store"))
    let primary = try TemporaryCluster(
      15, ClusterOptions(settings: ["full_page_writes": "on"]))
    let ledger = try Ledger(primary)
    let data = directory.file("standby")
    try Command.check(
      primary.binaries + "/pg_basebackup",
      ["-D", data, "-R", "-X", "stream", "-c", "fast", "-d", primary.socketURL()],
      asPostgres: true)
    var server = RecoveryServer(
      binaries: primary.binaries, dataDirectory: data, logFile: directory.file("log"))
    server.owner = geteuid() == 0 ? "postgres" : nil
    let port = try LoopbackPort.free()
    let settings = ["port=\(port)", "unix_socket_directories=\(directory.path)", "fsync=off"]
    let pgctl = primary.binaries + "/pg_ctl"
    try Command.check(
      pgctl,
      [
        "-D", data, "-w", "-l", directory.file("log"), "-o",
        settings.map { "-c \($0)" }.joined(separator: " "), "start",
      ], asPostgres: true)
    defer { try? server.kill() }
    // The archive is fed by the standby, and follows it through its promotion.
    let standby = try ConnectionTarget("postgresql://postgres@127.0.0.1:\(port)/postgres")
    let receiver = TestReceiver(standby, store)
    try receiver.start()
    try ledger.write(20, seed: &random)
    _ = try primary.walFlushed()
    _ = try BaseBackup(standby, to: store, environment: "test").run(cancellation: Cancellation())
    try ledger.write(20, seed: &random)
    let position = try primary.walFlushed()
    try receiver.waitUntilConfirmed(position)
    try Command.check(pgctl, ["-D", data, "-w", "promote"], asPostgres: true)
    let connection = try Connection(
      standby, ConnectionOptions(applicationName: "test"), cancellation: Cancellation())
    try connection.run("INSERT INTO public.ledger VALUES (1000, now())")
    let end = try connection.query("SELECT pg_current_wal_flush_lsn()").string(0, 0)
    try receiver.waitForEvent("timeline 2")
    try receiver.waitUntilConfirmed(try #require(LSN(end)))
    try receiver.stop()
    let restored = try RestoredCluster(store, .latest, major: 15)
    #expect(try restored.rows() == "41|1|1000")
    #expect(restored.plan.timeline == 2)
    #expect(restored.plan.base.server.isStandby)
  }
}
