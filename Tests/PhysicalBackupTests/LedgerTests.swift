import ByteStream
import Foundation
import ObjectStore
import Postgres
import TestSupport
import Testing

@testable import PhysicalBackup

/// A writer commits numbered rows while backups run and WAL streams. A restore to a moment holds
/// exactly the rows that were committed by then.
@Suite struct LedgerTests {
  private func backup(_ cluster: TemporaryCluster, _ store: any ObjectStore, wal: Bool) throws {
    var options = BaseBackup.Options()
    options.includesWAL = wal
    _ = try BaseBackup(
      ConnectionTarget(cluster.url()), to: store, environment: "test", options: options
    ).run(cancellation: Cancellation())
  }

  @Test(arguments: PhysicalTesting.majors)
  func eachMomentHasItsRows(major: Int) throws {
    var random = SeededGenerator()
    let cluster = try TemporaryCluster(major, ClusterOptions(settings: ["full_page_writes": "on"]))
    let directory = try TestDirectory()
    let store = try DirectoryStore(path: directory.path)
    let receiver = try TestReceiver(cluster, store)
    try receiver.start()
    let ledger = try Ledger(cluster)
    try ledger.write(20, seed: &random)
    try backup(cluster, store, wal: false)
    let first = ledger.lastRow
    try ledger.write(120, seed: &random)
    try ledger.restorePoint("half way")
    let half = ledger.lastRow
    let xid = try #require(
      UInt32(try cluster.psql("SELECT xmin FROM ledger WHERE row = \(half)")))
    try ledger.write(20, seed: &random)
    try ledger.restorePoint("pgkeep:20261122093000:7")
    try ledger.message(
      "pgkeep.migration", #"{"id":7,"version":"20261122093000","direction":"up","sql":"x"}"#)
    try ledger.message(
      "pgkeep.migration", #"{"id":8,"version":"20261122093000","direction":"down","sql":"x"}"#)
    let migration = ledger.lastRow
    try ledger.write(20, seed: &random)
    try backup(cluster, store, wal: true)
    let second = ledger.lastRow
    try ledger.write(100, seed: &random)
    // A quiet stretch: the receiver learns of it by the server's clock alone.
    let quiet = try ledger.now
    usleep(1_500_000)
    let later = try ledger.now
    try receiver.waitUntilConfirmed(cluster.walFlushed())
    try receiver.stop()

    var checks: [(RecoveryTarget, Int)] = [
      (.restorePoint("half way"), half), (.beforeMigration("20261122093000"), migration),
      (.transaction(xid), half),
      (.time(quiet), ledger.lastRow), (.latest, ledger.lastRow),
    ]
    // Marks inside of a base backup's own run cannot be had from it, but from the one before.
    let marks = ledger.marks.filter { $0.row > first }
    for _ in 0..<(PhysicalTesting.runsAll ? 20 : 1) {
      guard let mark = marks.randomElement(using: &random),
        let other = marks.randomElement(using: &random)
      else { break }
      checks.append((.time(mark.time), mark.row))
      checks.append((.position(other.position), other.row))
    }
    // What a target needs of the points is enough: everything would give the same plan.
    let everything = try RecoveryPlanner(PhysicalCatalog(store, environment: "test"))
    let others = (0..<10).compactMap { _ in marks.randomElement(using: &random) }
    let targets =
      checks.map(\.0)
      + others.flatMap { [RecoveryTarget.time($0.time), .position($0.position)] }
    for target in targets {
      let expected = try everything.plan(target)
      let plan = try RecoveryPlanner(
        PhysicalCatalog(store, environment: "test", points: .target(target, timeline: nil))
      ).plan(target)
      #expect(plan.stop == expected.stop, "\(target), seed \(random.seed)")
      #expect(plan.segments == expected.segments, "\(target), seed \(random.seed)")
      #expect(plan.base.id == expected.base.id, "\(target), seed \(random.seed)")
    }
    if !PhysicalTesting.runsAll { checks = Array(checks.shuffled(using: &random).prefix(3)) }
    for (target, row) in checks {
      let restored = try RestoredCluster(store, target, major: major)
      #expect(
        try restored.rows() == "\(row)|1|\(row)",
        "\(target), stop \(restored.plan.stop), base \(restored.plan.base.id), \(second)")
      #expect(restored.outcome.state == "in production")
    }
    // Outside of what is covered nothing is restored, and what is covered is said.
    let planner = try RecoveryPlanner(PhysicalCatalog(store, environment: "test"))
    for target in [
      RecoveryTarget.time(ServerTime(unixMicroseconds: later.unixMicroseconds + 3_600_000_000)),
      .time(ledger.marks[0].time), .position(LSN(rawValue: 1)), .position(LSN(rawValue: 1 << 50)),
    ] {
      let error = #expect(throws: PhysicalBackupError.self) { try planner.plan(target) }
      #expect(error?.code == .outOfRange)
      #expect(error?.message.contains("timeline 1: from ") ?? false)
    }
    // The row's own commit, in front of the restore point that came next.
    let transaction = try planner.plan(.transaction(xid))
    let restorePoint = try planner.plan(.restorePoint("half way"))
    guard case .position(let end, inclusive: true) = transaction.stop,
      case .position(let point, inclusive: true) = restorePoint.stop
    else { throw TestSupportError("\(transaction.stop), \(restorePoint.stop)") }
    #expect(end < point)
    #expect(throws: PhysicalBackupError.self) { try planner.plan(.transaction(xid + 1_000_000)) }
    for (target, known) in [
      (RecoveryTarget.restorePoint("no such"), "half way"),
      (.beforeMigration("20250101000000"), "20261122093000"),
    ] {
      let error = #expect(throws: PhysicalBackupError.self) { try planner.plan(target) }
      #expect(error?.code == .noSuchPoint)
      #expect(error?.message.contains(known) ?? false)
    }
  }
}
