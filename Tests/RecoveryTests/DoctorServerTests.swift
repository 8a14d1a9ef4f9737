import Foundation
import Glibc
import ObjectStore
import TestSupport
import Testing

@testable import Recovery

/// Each finding about the server, on a server that has what it is about.
@Suite struct DoctorServerTests {
  @Test func aSoundServerHasNoFailures() throws {
    let patient = try Patient()
    try patient.backUp()
    let report = try patient.examine()
    #expect(report.findings.filter { $0.level == .failure } == [])
    #expect(Set(report.findings.map(\.name)).isSubset(of: Doctor.names))
    // All but what only buckets and archives have.
    let missing = Set(Doctor.names).subtracting(report.findings.map(\.name))
    #expect(missing == ["storage.part_cap", "storage.object_lock", "backup.wal", "backup.drill"])
    #expect(try patient.probes() == [])
    #expect(report["database.kinds"]?.message.contains("seconds") == true)
  }

  @Test func aServerThatIsGoneLeavesTheStoreToBeExamined() throws {
    var patient = try Patient()
    try patient.backUp()
    patient.url =
      "postgresql://postgres@127.0.0.1:\(try LoopbackPort.free())/\(patient.database.name)"
    let report = try patient.examine()
    #expect(report["database.connection"]?.level == .failure)
    #expect(report.level(ofArea: "storage") == .ok)
    #expect(report["backup.newest"]?.level == .ok)
  }

  @Test func aServerThatDoesNotAnswerIsGivenUp() throws {
    var patient = try Patient()
    // The kernel accepts for it, and nobody ever reads.
    let silent = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(silent) }
    let port = try LoopbackPort.free()
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
    let isBound = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(silent, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
      }
    }
    try #require(isBound && listen(silent, 8) == 0)
    patient.url = "postgresql://postgres@127.0.0.1:\(port)/x"
    patient.options.limit = .seconds(2)
    let started = ContinuousClock.now
    let report = try patient.examine("database.connection")
    #expect(report["database.connection"]?.level == .failure)
    #expect(ContinuousClock.now - started < .seconds(40))
  }

  @Test func aRoleThatMayNotReadATableIsNamed() throws {
    var patient = try Patient()
    let role = TemporaryCluster.uniqueName("weak")
    try patient.database.psql(
      "CREATE ROLE \(role) LOGIN; CREATE TABLE secret (i int); GRANT SELECT ON t TO \(role)")
    patient.url = patient.database.url(user: role)
    let rights = try #require(try patient.examine()["database.rights"])
    #expect(rights.level == .failure)
    #expect(rights.message.contains("public.secret"))
    #expect(!rights.message.contains("public.t,"))
    // Doing what is advised helps.
    let grant = try #require(rights.advice.components(separatedBy: ": ").last)
    try patient.database.psql(grant)
    #expect(try patient.examine("database.rights")["database.rights"]?.level == .ok)
    // Its rows may still be hidden.
    try patient.database.psql("ALTER TABLE secret ENABLE ROW LEVEL SECURITY")
    let hidden = try #require(try patient.examine("database.rights")["database.rights"])
    #expect(hidden.level == .failure && hidden.message.contains("hides rows of 1"))
    try patient.database.psql(try #require(hidden.advice.components(separatedBy: ": ").last))
    #expect(try patient.examine("database.rights")["database.rights"]?.level == .ok)
    // It may not replicate, which matters when little may be lost.
    #expect(try patient.examine("database.kinds")["database.kinds"]?.level == .ok)
    patient.options.recoveryPoint = .seconds(60)
    let kinds = try #require(try patient.examine("database.kinds")["database.kinds"])
    #expect(kinds.level == .warning && kinds.advice.contains("REPLICATION"))
    try patient.database.psql("DROP OWNED BY \(role); DROP ROLE \(role)")
  }

  @Test func aServerWithLittleSetIsExplained() throws {
    let cluster = try TemporaryCluster(
      15,
      ClusterOptions(settings: [
        "wal_level": "minimal", "max_wal_senders": "0", "max_connections": "10",
        "max_locks_per_transaction": "10",
        "synchronous_standby_names": "FIRST 1 (a, \"pgkeep wal\")",
        "synchronous_commit": "local",
      ]))
    var patient = try Patient(cluster)
    patient.options.recoveryPoint = .seconds(60)
    try patient.database.psql(
      "DO $$ BEGIN FOR i IN 1..300 LOOP EXECUTE format('CREATE TABLE many_%s ()', i); COMMIT; "
        + "END LOOP; END $$")
    let report = try patient.examine("database")
    let kinds = try #require(report["database.kinds"])
    #expect(kinds.level == .warning && kinds.advice.contains("wal_level is minimal"))
    let locks = try #require(report["database.lock_table"])
    #expect(locks.level == .failure && locks.message.contains("max_locks_per_transaction"))
    #expect(report["database.synchronous"]?.level == .warning)
  }

  @Test(arguments: [
    ("*", true), ("", false), ("a, b", false), ("ANY 1 (a, *)", true),
    ("\"PGKEEP wal\"", true), ("FIRST 2 (\"x\"\"y\", \"pgkeep wal\")", true), ("pgkeep", false),
    ("2 (\"(pgkeep wal)\")", false),
  ])
  func standbyNamesAreReadAsTheServerReadsThem(setting: String, isTaken: Bool) {
    #expect(StandbyNames(setting).take("pgkeep wal") == isTaken)
  }

  @Test func aCollationThatHasChangedIsNamed() throws {
    let patient = try Patient()
    try patient.database.psql(
      """
      CREATE COLLATION german (provider = icu, locale = 'de');
      CREATE TABLE words (word text COLLATE german);
      UPDATE pg_collation SET collversion = '1.2' WHERE collname = 'german'
      """)
    let found = try #require(try patient.examine()["database.collations"])
    #expect(found.level == .warning && found.message.contains("german (1.2, now "))
    #expect(found.advice.contains("ALTER COLLATION public.german REFRESH VERSION"))
    try patient.database.psql("ALTER COLLATION public.german REFRESH VERSION")
    #expect(try patient.examine("database")["database.collations"]?.level == .ok)
  }

  @Test func theDatabasesOwnCollationThatHasChangedIsNamed() throws {
    var patient = try Patient()
    let name = TemporaryCluster.uniqueName("sorted")
    try patient.cluster.psql(
      """
      CREATE DATABASE \(name) TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'de';
      UPDATE pg_database SET datcollversion = '1.2' WHERE datname = '\(name)'
      """)
    patient.url = patient.cluster.url(name)
    let found = try #require(
      try patient.examine("database.collations")["database.collations"])
    #expect(found.level == .warning && found.message.contains("the database's own (1.2, now "))
    #expect(found.advice.contains("REINDEX DATABASE \(name); ALTER DATABASE \(name) REFRESH"))
    try patient.cluster.psql("DROP DATABASE \(name)")
  }

  /// What no server at hand is.
  @Test func versionsAndHostsAreWeighed() {
    #expect(ServerCheckup.version(14, "14.9").level == .failure)
    #expect(ServerCheckup.version(15, "15.1").level == .ok)
    #expect(ServerCheckup.version(99, "99.1").level == .warning)
    #expect(ServerCheckup.encryption(false, host: "db.example.org").level == .warning)
    #expect(ServerCheckup.encryption(true, host: "db.example.org").level == .ok)
    #expect(ServerCheckup.encryption(false, host: "/run/postgresql").level == .ok)
    let now = UTCTime.now()
    for (seconds, level) in [(0, Finding.Level.ok), (-59, .ok), (61, .warning), (-7200, .warning)] {
      let verdict = ClockCheck.verdict(
        "the server", now.adding(seconds: Int64(seconds)), between: now, and: now,
        failsAt: .infinity)
      #expect(verdict.level == level)
    }
  }

  @Test func tlsIsSeen() throws {
    let cluster = try TemporaryCluster(15, ClusterOptions(tls: true))
    let patient = try Patient(cluster)
    let tls = try #require(try patient.examine("database.tls")["database.tls"])
    #expect(tls.level == .ok && tls.message.contains("encrypted by TLS"))
  }

  @Test func aConnectionForReplicationThatIsRefusedIsAReason() throws {
    let cluster = try TemporaryCluster(
      15, ClusterOptions(hbaLines: ["host replication all 127.0.0.1/32 reject"]))
    var patient = try Patient(cluster)
    patient.options.recoveryPoint = .seconds(60)
    let kinds = try #require(try patient.examine("database.kinds")["database.kinds"])
    #expect(kinds.level == .warning && kinds.advice.contains("pg_hba.conf"))
  }
}
