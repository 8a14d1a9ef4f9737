import Age
import ByteStream
import Foundation
import Glibc
import ObjectStore
import Postgres
import Repository
import TestSupport
import Testing

@testable import PhysicalBackup

/// `backup base --incremental`, and restores from chains.
@Suite struct IncrementalBackupTests {
  private let directory: TestDirectory
  private let store: DirectoryStore

  init() throws {
    directory = try TestDirectory()
    store = try DirectoryStore(path: directory.file("store"))
    try Command.check("mkdir", [directory.file("space")])
    try PhysicalTesting.giveToPostgres(directory.file("space"))
  }

  private func cluster(_ major: Int) throws -> TemporaryCluster {
    try TemporaryCluster(
      major,
      ClusterOptions(
        settings: [
          "full_page_writes": "on", "synchronous_commit": "on", "summarize_wal": "on",
          "autovacuum": "off",
        ], initdbArguments: ["--data-checksums"]))
  }

  @discardableResult
  private func backup(
    _ cluster: TemporaryCluster, incremental: Bool = false,
    _ change: (inout BaseBackup.Options) -> Void = { _ in }
  ) throws -> BaseManifest {
    var options = BaseBackup.Options()
    options.isIncremental = incremental
    change(&options)
    return try BaseBackup(
      ConnectionTarget(cluster.url()), to: store, environment: "test", options: options
    ).run(cancellation: Cancellation())
  }

  /// Everything in the tables, as a hash of each.
  private func contents(_ query: (String) throws -> String) throws -> String {
    let names = try query(
      """
      SELECT oid::regclass FROM pg_class
      WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' ORDER BY 1
      """)
    return try names.split(separator: "\n").map { name in
      try name + " "
        + query("SELECT count(*), md5(string_agg(t::text, ',' ORDER BY t::text)) FROM \(name) t")
    }.joined(separator: "\n")
  }

  @Test(arguments: [17, 18])
  func aChainIsRestoredToItsEndAndToBetween(major: Int) throws {
    let cluster = try cluster(major)
    let receiver = try TestReceiver(cluster, store)
    try receiver.start()
    try cluster.psql("CREATE TABLESPACE fast LOCATION '\(directory.file("space"))'")
    try cluster.psql(
      """
      CREATE TABLE quiet AS SELECT g AS id, repeat(md5(g::text), 8) FROM generate_series(1, 5e4) g;
      CREATE TABLE busy TABLESPACE fast AS SELECT g AS id, 0 AS n FROM generate_series(1, 2e4) g;
      CREATE INDEX ON busy (id) TABLESPACE fast;
      CREATE TABLE shorter AS SELECT g AS id FROM generate_series(1, 2e4) g;
      CREATE TABLE gone (id int)
      """)
    let first = try backup(cluster) { $0.includesWAL = false }
    #expect(first.parent == nil && first.format == 1)
    // Grows, shrinks and grows, goes, comes.
    try cluster.psql("UPDATE busy SET n = 1 WHERE id % 500 = 0")
    try cluster.psql("DELETE FROM shorter WHERE id > 100")
    try cluster.psql("VACUUM shorter")
    try cluster.psql("INSERT INTO shorter SELECT g FROM generate_series(1, 5000) g")
    try cluster.psql("DROP TABLE gone; CREATE TABLE new AS SELECT 1 AS id")
    let second = try backup(cluster, incremental: true) { $0.includesWAL = false }
    #expect(second.parent == first.id && second.format == 2)
    #expect(second.plainSize < first.plainSize - 10_000_000)
    try cluster.psql("TRUNCATE shorter; INSERT INTO new SELECT g FROM generate_series(2, 9000) g")
    try cluster.psql("UPDATE busy SET n = 2 WHERE id % 700 = 0")
    let before = try contents { try cluster.psql($0) }
    let moment = try #require(
      LSN(try cluster.psql("CHECKPOINT; SELECT pg_current_wal_insert_lsn()")))
    try cluster.psql("INSERT INTO busy SELECT g, 3 FROM generate_series(1, 20000) g")
    let third = try backup(cluster, incremental: true) { $0.includesWAL = false }
    #expect(third.parent == second.id)
    try cluster.psql("DELETE FROM busy WHERE n = 0; INSERT INTO shorter VALUES (7)")
    let last = try contents { try cluster.psql($0) }
    try receiver.waitUntilConfirmed(cluster.walFlushed())
    try receiver.stop()

    for (target, wanted, base) in [
      (RecoveryTarget.latest, last, third), (.position(moment), before, second),
    ] {
      let restored = try RestoredCluster(
        store, target, major: major,
        tablespaces: [directory.file("space"): directory.file("space-\(base.id)")])
      #expect(restored.plan.base.id == base.id)
      #expect(try contents { try restored.psql($0) } == wanted)
      // The index agrees with its table.
      let count = "SELECT count(*) FROM busy WHERE id > 0"
      #expect(
        try restored.psql("SET enable_seqscan = off; \(count)")
          == restored.psql("SET enable_indexscan = off; SET enable_bitmapscan = off; \(count)"))
      try restored.server.stop()
      // Each page has its checksum, and nothing of the work is left.
      let data = restored.server.dataDirectory
      try Command.check(cluster.binaries + "/pg_checksums", ["--check", "-D", data])
      let names = try FileManager.default.subpathsOfDirectory(atPath: data)
      #expect(names.filter { $0.contains("INCREMENTAL") || $0.contains("pgkeep") }.isEmpty)
      // Over itself, as it is after it was used.
      var options = restored.options
      options.isDelta = true
      let again = try ClusterRestore(restored.catalog, options: options).run(
        restored.plan, cancellation: Cancellation())
      #expect(try #require(again.delta).keptBytes > 10_000_000)
      _ = try restored.server.recover(to: .promote, cancellation: Cancellation())
      #expect(try contents { try restored.psql($0) } == wanted)
    }
    try expectKept(first, second, third)
    try expectMissing(first, second)
  }

  /// A plan keeps what a chain needs, and an audit passes.
  private func expectKept(
    _ first: BaseManifest, _ second: BaseManifest, _ third: BaseManifest
  ) throws {
    let plan = try #require(try PhysicalPrune(store, environment: "test").plan(days: 0).first)
    #expect(plan.deletions.filter { $0.kind == .base }.isEmpty)
    let reason = plan.lines.first { $0.name == "\(first.id)" }?.reason
    #expect(reason == "\(second.id) holds the changes since it")
    let catalog = try PhysicalCatalog(store, environment: "test")
    #expect(catalog.chain(of: third)?.map(\.id) == [first.id, second.id, third.id])
    #expect(try PhysicalAudit(catalog).run(cancellation: Cancellation()).passed)
  }

  /// Without its beginning a chain is nothing, which is said.
  private func expectMissing(_ first: BaseManifest, _ second: BaseManifest) throws {
    let layout = ClusterLayout(
      environment: "test", systemIdentifier: first.server.systemIdentifier)
    try store.delete(layout.manifestKey(first.id))
    let catalog = try PhysicalCatalog(store, environment: "test")
    let audit = try PhysicalAudit(catalog).run(cancellation: Cancellation())
    #expect(
      audit.findings.contains {
        $0.contains("\(second.id) cannot be restored") && $0.contains("\(first.id)")
      })
    #expect(throws: PhysicalBackupError.self) { try RecoveryPlanner(catalog).plan(.latest) }
  }

  @Test func whatCannotBeIsRefusedInPlainWords() throws {
    let old = try TemporaryCluster.shared(15)
    var error = #expect(throws: PhysicalBackupError.self) { try backup(old, incremental: true) }
    #expect(error?.message.contains("need 17 or later") ?? false)
    let plain = try TemporaryCluster.shared(17)
    error = #expect(throws: PhysicalBackupError.self) { try backup(plain, incremental: true) }
    #expect(error?.message.contains("set summarize_wal = on") ?? false)
    let new = try cluster(18)
    error = #expect(throws: PhysicalBackupError.self) { try backup(new, incremental: true) }
    #expect(error?.message.contains("take the first without --incremental") ?? false)
    // The same by the command, and what it says when it can.
    let environment = [
      "DATABASE_URL": new.url(), "BACKUP_STORE": "file://" + directory.file("store"),
      "ENVIRONMENT": "test",
    ]
    func command(_ arguments: String...) throws -> CommandResult {
      try Command.run(BuiltExecutable.backup, arguments, environment: environment)
    }
    #expect(try command("base", "--incremental").exitCode == 3)
    let whole = try command("base")
    #expect(whole.exitCode == 0 && !whole.text.contains("the changes since"))
    let changes = try command("base", "--incremental")
    #expect(changes.exitCode == 0, "\(changes.errorText)")
    #expect(changes.text.contains("the changes since"))
    #expect(try command("list").text.contains("CHANGES SINCE"))
    let verified = try command("verify", "--cluster")
    #expect(verified.text.contains("all of it is sound"), "\(verified.errorText)")
  }

  /// The server has not noted the changes all the while.
  @Test func whereSummariesAreMissingAnIncrementIsRefused() throws {
    let cluster = try cluster(17)
    let first = try backup(cluster)
    try cluster.psql("ALTER SYSTEM SET summarize_wal = off")
    try cluster.psql("SELECT pg_reload_conf()")
    let limit = ContinuousClock.now + .seconds(60)
    let summarizers =
      "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'walsummarizer'"
    while try cluster.psql(summarizers) != "0" {
      guard ContinuousClock.now < limit else { throw TestSupportError("it goes on noting") }
      usleep(50_000)
    }
    for name in try FileManager.default.contentsOfDirectory(
      atPath: cluster.dataDirectory + "/pg_wal/summaries")
    {
      try FileManager.default.removeItem(
        atPath: cluster.dataDirectory + "/pg_wal/summaries/" + name)
    }
    // The WAL that it would note later is gone too.
    let segment = try cluster.psql("SELECT pg_walfile_name(pg_current_wal_lsn())")
    let older = "SELECT count(*) FROM pg_ls_waldir() WHERE name <= '\(segment)'"
    while try cluster.psql(older) != "0" {
      guard ContinuousClock.now < limit else { throw TestSupportError("the WAL stays") }
      try cluster.psql("CREATE TABLE IF NOT EXISTS t (a int); INSERT INTO t VALUES (1)")
      try cluster.psql("SELECT pg_switch_wal()")
      try cluster.psql("CHECKPOINT")
    }
    try cluster.psql("ALTER SYSTEM SET summarize_wal = on")
    try cluster.psql("SELECT pg_reload_conf()")
    while try cluster.psql("SHOW summarize_wal") != "on" {
      guard ContinuousClock.now < limit else { throw TestSupportError("it is not set") }
      usleep(50_000)
    }
    let error = #expect(throws: PhysicalBackupError.self) { try backup(cluster, incremental: true) }
    #expect(error?.code == .wrongServer)
    #expect(error?.message.contains("\(first.id); take one without --incremental") ?? false)
    let cause = error?.cause.map { "\($0)" } ?? ""
    #expect(cause.contains("summaries"), "\(cause)")
    // Nothing is left that looks like a backup, and a whole one can be taken.
    try backup(cluster)
    let catalog = try PhysicalCatalog(store, environment: "test", points: .none)
    #expect(catalog.bases.count == 2 && catalog.bases.allSatisfy { $0.parent == nil })
  }

  @Test func anEncryptedParentNeedsItsKey() throws {
    let cluster = try cluster(17)
    let identity = try AgeIdentity.generate()
    let recipients = [try #require(try identity.recipient())]
    try backup(cluster) { $0.recipients = recipients }
    let error = #expect(throws: PhysicalBackupError.self) {
      try backup(cluster, incremental: true) { $0.recipients = recipients }
    }
    #expect(error?.code == .locked)
    try cluster.psql("CREATE TABLE ledger AS SELECT g AS row FROM generate_series(1, 10) g")
    try backup(cluster, incremental: true) {
      $0.recipients = recipients
      $0.identities = [identity]
    }
    let restored = try RestoredCluster(
      SealedStore(store, identities: [identity]), .latest, major: 17)
    #expect(try restored.rows() == "10|1|10")
  }

  @Test func aDamagedIncrementIsFound() throws {
    func write(_ numbers: [UInt32], blocks: Int) throws -> String {
      var bytes: [UInt8] = []
      for number in numbers {
        for shift in stride(from: 0, to: 32, by: 8) { bytes.append(UInt8(number >> shift & 0xFF)) }
      }
      if numbers.count > 3 {
        bytes += [UInt8](repeating: 0, count: IncrementalFile.blockSize - bytes.count)
      }
      for block in 0..<blocks {
        bytes += [UInt8](repeating: UInt8(block + 1), count: IncrementalFile.blockSize)
      }
      return try directory.write(bytes, to: "increment")
    }
    let magic: UInt32 = 0xD3AE_1F0D
    for (numbers, blocks) in [
      ([magic, 0], 0), ([1, 0, 0], 0), ([magic, 1, 5], 0), ([magic, 2, 5, 3, 3], 2),
      ([magic, 1, 5, 0], 2), ([magic, 1 << 30, 0], 0), ([magic, 1, 0, .max], 1),
    ] as [([UInt32], Int)] {
      let path = try write(numbers, blocks: blocks)
      let error = #expect(throws: PhysicalBackupError.self) {
        try IncrementalFile.with(path) { _ in }
      }
      #expect(error?.code == .damaged, "\(numbers)")
    }
    // Cut to two blocks, and longer again with a hole: what the server's documentation says.
    let target = try directory.write(
      [UInt8](repeating: 9, count: 4 * IncrementalFile.blockSize), to: "target")
    let path = try write([magic, 2, 2, 0, 4], blocks: 2)
    try BaseCombination(jobs: 1, syncs: false).run(
      [RestoreSources.Combination(path: target, increments: [path])], cancellation: Cancellation())
    let result = try directory.read("target")
    #expect(
      stride(from: 0, to: result.count, by: IncrementalFile.blockSize).map { result[$0] }
        == [1, 9, 0, 0, 2])
    #expect(!FileManager.default.fileExists(atPath: path))
  }
}
