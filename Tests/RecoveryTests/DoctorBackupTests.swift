import Age
import ByteStream
import Foundation
import LogicalBackup
import ObjectStore
import PhysicalBackup
import Postgres
import Repository
import TestSupport
import Testing

@testable import Recovery

/// Each finding about what is in the store.
@Suite struct DoctorBackupTests {
  @Test func noBackupAndAnOldOneAreFailures() throws {
    var patient = try Patient()
    let none = try #require(try patient.examine()["backup.newest"])
    #expect(none.level == .failure && none.message.contains("no whole backup"))
    _ = try patient.backUp(secondsAgo: 30 * 3600)
    #expect(try patient.examine("backup.newest")["backup.newest"]?.level == .failure)
    patient.options.recoveryPoint = .seconds(31 * 3600)
    #expect(try patient.examine("backup.newest")["backup.newest"]?.level == .ok)
  }

  @Test func proofsAreWeighed() throws {
    let patient = try Patient()
    let manifest = try patient.backUp()
    func level() throws -> Finding.Level? {
      try patient.examine("backup.proof")["backup.proof"]?.level
    }
    func prove(_ passed: Bool, daysAgo: Int) throws {
      try patient.repository.writeProof(
        Proof(
          of: manifest.names, kind: .read, time: UTCTime.now().adding(days: -daysAgo),
          tool: "test", passed: passed, findings: passed ? [] : ["a member is damaged"], tables: 1,
          rows: 1, bytes: 1, seconds: 1))
    }
    #expect(try level() == .warning)
    try prove(true, daysAgo: 20)
    #expect(try level() == .warning)
    try prove(true, daysAgo: 2)
    #expect(try level() == .ok)
    try prove(false, daysAgo: 1)
    let failed = try #require(try patient.examine()["backup.proof"])
    #expect(failed.level == .failure && failed.message.contains("a member is damaged"))
  }

  @Test func encryptionIsSeen() throws {
    var patient = try Patient()
    #expect(try patient.examine("backup.encryption").level == .warning)
    patient.options.recipients = 2
    #expect(try patient.examine("backup.encryption").level == .ok)
  }

  @Test func prunesThatDoNotRunAreSeen() throws {
    var patient = try Patient()
    _ = try patient.backUp(secondsAgo: 40 * 86_400)
    _ = try patient.backUp(secondsAgo: 39 * 86_400)
    try patient.backUp()
    #expect(try patient.examine("backup.retention").level == .warning)
    patient.options.retention.keepDays = 60
    #expect(try patient.examine("backup.retention").level == .ok)
  }

  @Test func aMigrationUnderWayIsSeen() throws {
    let patient = try Patient()
    try patient.backUp()
    #expect(try patient.examine("backup.deploy_overlap").level == .ok)
    // What MigrationLock holds.
    let session = try Connection(
      ConnectionTarget(patient.url), ConnectionOptions(applicationName: "test"),
      cancellation: Cancellation())
    let key = AdvisoryLocks.migrationRun
    try session.run("SELECT pg_advisory_lock(\(SQLText(key)))")
    let finding = try #require(try patient.examine("backup")["backup.deploy_overlap"])
    #expect(finding.level == .warning && finding.message.contains("running now"))
    session.close()
  }

  @Test func migrationsAtTheTimeOfBackupsAreSeen() throws {
    let patient = try Patient()
    // Six hours ago, and then at that time of day two days before.
    let manifest = try patient.backUp(secondsAgo: 6 * 3600)
    try patient.database.psql(
      """
      CREATE SCHEMA pgkeep;
      CREATE TABLE pgkeep.migration_history (
        version text, name text, outcome text, recorded_at timestamptz, duration_ms bigint);
      INSERT INTO pgkeep.migration_history VALUES
        ('1', 'a', 'done', now() - interval '3 hours', 100)
      """)
    #expect(try patient.examine("backup.deploy_overlap").level == .ok)
    try patient.database.psql(
      """
      INSERT INTO pgkeep.migration_history VALUES
        ('2', 'b', 'done', '\(manifest.started)'::timestamptz - interval '48 hours', 100)
      """)
    let usual = try #require(try patient.examine()["backup.deploy_overlap"])
    #expect(usual.level == .warning && usual.message.contains("1 of the 2"))
    try patient.database.psql(
      """
      INSERT INTO pgkeep.migration_history VALUES
        ('3', 'c', 'done', '\(manifest.finished)'::timestamptz + interval '5 seconds', 10000)
      """)
    let met = try #require(try patient.examine()["backup.deploy_overlap"])
    #expect(met.level == .warning && met.message.contains("\(manifest.id)"))
  }

  @Test func drillsAreWeighed() throws {
    let patient = try Patient(TemporaryCluster())
    let store = try patient.store.open()
    func finding() throws -> Finding? { try patient.examine("backup.drill")["backup.drill"] }
    #expect(try finding() == nil)
    let base = try BaseBackup(
      ConnectionTarget(patient.url), to: store, environment: "test"
    ).run(cancellation: Cancellation())
    #expect(try finding()?.level == .warning)
    let now = UTCTime.now()
    func drill(daysAgo days: Int, passed: Bool) throws {
      var report = DrillReport(
        base: base.id, systemIdentifier: base.server.systemIdentifier,
        started: now.adding(days: -days), tool: "test", target: "the end", bytes: 1, segments: 0)
      if !passed { report.findings = ["it did not start"] }
      try report.store(in: store, environment: "test")
    }
    try drill(daysAgo: 50, passed: true)
    #expect(try finding()?.level == .warning)
    try drill(daysAgo: 20, passed: false)
    #expect(try finding()?.level == .failure)
    try drill(daysAgo: 10, passed: true)
    let found = try #require(try finding())
    #expect(found.level == .ok && found.message.contains("10 days"), "\(found.message)")
  }

  /// Its objects have other names; no key is needed to see what is there.
  @Test func encryptedWALIsSeen() throws {
    let cluster = try TemporaryCluster()
    var patient = try Patient(cluster)
    // Whatever the age of the newest WAL, nothing would be lost.
    patient.options.recoveryPoint = .milliseconds(1)
    let store = try patient.store.open()
    let target = try ConnectionTarget(patient.url)
    let recipient = try #require(try AgeIdentity.generate().recipient())
    var options = BaseBackup.Options()
    options.recipients = [recipient]
    _ = try BaseBackup(target, to: store, environment: "test", options: options).run(
      cancellation: Cancellation())
    let stop = Cancellation()
    var receiving = WALReceiver.Options()
    receiving.recipients = [recipient]
    receiving.tailInterval = .milliseconds(200)
    let receiver = WALReceiver(target, to: store, environment: "test", options: receiving)
    let group = ThreadGroup(following: stop)
    group.start("receiver") { try receiver.run(cancellation: stop) { _ in } }
    try patient.database.psql("INSERT INTO t SELECT max(id) + 1 FROM t; SELECT pg_switch_wal()")
    let limit = ContinuousClock.now + .seconds(60)
    var found: Finding?
    while found?.message.contains("All of the server's WAL") != true, ContinuousClock.now < limit {
      found = try patient.examine("backup.wal")["backup.wal"]
    }
    stop.cancel(reason: "done")
    try? group.join()
    #expect(found?.level == .ok, "\(found?.message ?? "nothing was found")")
    let keys = try store.list(prefix: "").map(\.key)
    #expect(keys.contains { $0.contains("/wal/") && $0.hasSuffix(".gz.age") })
    #expect(!keys.contains { $0.contains("/wal/") && $0.hasSuffix(".gz") })
  }

  @Test func walThatDoesNotArriveIsSeen() throws {
    let cluster = try TemporaryCluster()
    var patient = try Patient(cluster)
    let store = try patient.store.open()
    let target = try ConnectionTarget(patient.url)
    let base = try BaseBackup(target, to: store, environment: "test").run(
      cancellation: Cancellation())
    #expect(try patient.examine("backup.wal")["backup.wal"] == nil)
    let stop = Cancellation()
    let receiver = WALReceiver(target, to: store, environment: "test", options: .init())
    let group = ThreadGroup(following: stop)
    group.start("receiver") { try receiver.run(cancellation: stop) { _ in } }
    let layout = ClusterLayout(
      environment: "test", systemIdentifier: base.server.systemIdentifier)
    for _ in 0..<200 where try store.list(prefix: layout.walPrefix).isEmpty {
      try patient.database.psql("INSERT INTO t SELECT max(id) + 1 FROM t; SELECT pg_switch_wal()")
      Thread.sleep(forTimeInterval: 0.1)
    }
    stop.cancel(reason: "done")
    try? group.join()
    #expect(try patient.examine("backup.wal")["backup.wal"]?.level == .ok)
    // The newest backup may be missing when WAL is there.
    #expect(try patient.examine("backup.newest")["backup.newest"]?.level == .ok)
    try patient.database.psql(
      "SET synchronous_commit = on; INSERT INTO t SELECT max(id) + 1 FROM t")
    patient.options.recoveryPoint = .milliseconds(1)
    Thread.sleep(forTimeInterval: 0.1)
    #expect(try patient.examine("backup.wal")["backup.wal"]?.level == .failure)
    try cluster.psql("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots")
  }
}
