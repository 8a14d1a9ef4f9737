import ByteStream
import Foundation
import Glibc
import ObjectStore
import Repository
import TestSupport
import Testing

/// SIGINT, SIGTERM and SIGKILL in the middle of each command: nothing half made is to be seen,
/// the server has no session of ours within seconds, and the same command succeeds again.
@Suite struct InterruptionTests {
  /// SIGTERM takes the way of SIGINT, so it waits for the long run of all tests.
  private static let signals =
    ProcessInfo.processInfo.environment["PGKEEP_TEST_ALL"] == nil
    ? [SIGINT, SIGKILL] : [SIGINT, SIGTERM, SIGKILL]

  /// Sends the signal and expects the end that belongs to it, within thirty seconds.
  ///
  /// - Parameter said: what it may have said to be done, since it is.
  private func interrupt(
    _ command: RunningCommand, _ signal: Int32, saying said: String = "",
    _ location: SourceLocation = #_sourceLocation
  ) throws {
    #expect(command.isRunning, "\(command.errorTextSoFar)", sourceLocation: location)
    let sent = ContinuousClock.now
    command.signal(signal)
    let result = try command.wait()
    #expect(ContinuousClock.now - sent < .seconds(30), sourceLocation: location)
    let outcome = Tool.Outcome(result: result)
    switch signal {
    case SIGKILL: #expect(result.ending == .signaled(SIGKILL), sourceLocation: location)
    case SIGTERM: try outcome.expectFailure(143, "SIGTERM", saying: said, location: location)
    default: try outcome.expectFailure(130, "SIGINT", saying: said, location: location)
    }
  }

  @Test(arguments: signals)
  func backupRunThatWaitsForALock(signal: Int32) throws {
    let bench = try Bench(rows: 10)
    let holder = try bench.holdLock()
    defer { holder.kill() }
    let run = try bench.backup.start("run")
    try bench.waitForStatement(like: "%LOCK%")
    try interrupt(run, signal)
    try bench.expectNoSessions()
    #expect(try bench.repository.catalog().entries.isEmpty)
    try bench.release(holder)
    try bench.backup("run").expectSuccess()
  }

  @Test(arguments: signals)
  func backupRunThatUploads(signal: Int32) throws {
    let bench = try Bench(rows: 1000)
    let server = try S3Server.shared()
    let proxy = try HTTPFaultProxy(to: server.port)
    let bucket = try server.createBucket()
    let backup = bench.backup.with(server.environment).with([
      "BACKUP_STORE": "s3://\(bucket)", "BACKUP_S3_ENDPOINT": proxy.endpoint,
    ])
    proxy.add(.stall(.seconds(60))) { $0.method == "PUT" && $0.target.contains(".sql.gz") }
    let run = try backup.start("run")
    try proxy.wait { $0.method == "PUT" }
    try interrupt(run, signal)
    proxy.clear()
    try bench.expectNoSessions()
    let list = try backup("list", "--json").json()
    #expect((list["backups"] as? [Any])?.isEmpty == true)
    try backup("run").expectSuccess()
  }

  @Test(arguments: signals)
  func backupPrune(signal: Int32) throws {
    let bench = try Bench(rows: 10)
    let server = try S3Server.shared()
    let proxy = try HTTPFaultProxy(to: server.port)
    let bucket = try server.createBucket()
    let backup = bench.backup.with(server.environment).with([
      "BACKUP_STORE": "s3://\(bucket)", "BACKUP_S3_ENDPOINT": proxy.endpoint,
    ])
    for _ in 0..<3 { try backup("run").expectSuccess() }
    // Only the newest is kept by number, and none for its age.
    let wanted = ["prune", "--keep-days", "0", "--keep-last", "1"]
    proxy.add(.stall(.seconds(60))) {
      $0.method == "DELETE" || $0.method == "POST" && $0.target.contains("delete")
    }
    let run = try Command.start(backup.path, wanted, environment: backup.environment)
    try proxy.wait { $0.method == "DELETE" || $0.target.contains("delete") }
    try interrupt(run, signal)
    proxy.clear()
    // The newest is whole, whatever was begun.
    try bench.restore.with(backup.environment)("latest", "--verify").expectSuccess()
    let again = try Command.run(backup.path, wanted, environment: backup.environment)
    Tool.Outcome(result: again).expectSuccess()
    let list = try backup("list", "--json").json()
    #expect((list["backups"] as? [Any])?.count == 1)
  }

  /// Gives the backup an index that takes long to build, as long as the role says so.
  private func makeSlowIndex(_ bench: Bench) throws {
    try bench.database.psql(
      """
      CREATE FUNCTION shop.slow(n int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$
      BEGIN
        IF current_setting('bench.slow', true) = 'on' THEN PERFORM pg_sleep(0.2); END IF;
        RETURN n;
      END $$;
      CREATE INDEX slow_index ON shop.orders (shop.slow(id));
      """)
  }

  @Test(arguments: signals)
  func restore(signal: Int32) throws {
    let bench = try Bench(rows: 400)
    try makeSlowIndex(bench)
    try bench.backup("run").expectSuccess()
    try bench.cluster.psql("ALTER ROLE \(bench.role) SET bench.slow = 'on'")
    let run = try bench.restore.start("latest", "--verify")
    try bench.waitForStatement(like: "%CREATE INDEX%slow_index%")
    try interrupt(run, signal)
    try bench.expectNoSessions()
    #expect(try !bench.restored().contains(bench.target))
    try bench.cluster.psql("ALTER ROLE \(bench.role) RESET bench.slow")
    try bench.restore("latest", "--verify").expectSuccess()
    #expect(try bench.contents(of: bench.target) == bench.contents(of: bench.database.name))
    // What the stopped run left under a temporary name is gone by now.
    #expect(try bench.restored() == [bench.target])
  }

  @Test(arguments: signals)
  func restoreIntoEmpty(signal: Int32) throws {
    let bench = try Bench(rows: 400)
    try makeSlowIndex(bench)
    try bench.backup("run").expectSuccess()
    try bench.cluster.psql("CREATE DATABASE \(bench.target)")
    try bench.cluster.psql("ALTER ROLE \(bench.role) SET bench.slow = 'on'")
    let run = try bench.restore.start("latest", "--into-empty")
    try bench.waitForStatement(like: "%CREATE INDEX%slow_index%")
    try interrupt(run, signal)
    try bench.expectNoSessions()
    try bench.cluster.psql("ALTER ROLE \(bench.role) RESET bench.slow")
    try bench.restore("latest", "--into-empty", "--verify").expectSuccess()
    #expect(try bench.contents(of: bench.target) == bench.contents(of: bench.database.name))
  }

  /// A prune on another host leaves what a restore is reading.
  @Test func pruneDuringARestore() throws {
    let bench = try Bench(rows: 100)
    let server = try S3Server.shared()
    let proxy = try HTTPFaultProxy(to: server.port)
    let bucket = try server.createBucket()
    let backup = bench.backup.with(server.environment).with([
      "BACKUP_STORE": "s3://\(bucket)", "BACKUP_S3_ENDPOINT": proxy.endpoint,
    ])
    let id = try #require(try backup("run", "--json").json()["id"] as? String)
    for _ in 0..<2 { try backup("run").expectSuccess() }
    // The restore is stopped while its mark is on the way, which then arrives.
    proxy.add(.delay(.seconds(10))) { $0.method == "PUT" && $0.target.contains("/pins/") }
    let restore = try bench.restore.with(backup.environment).start(id, "--verify")
    defer { restore.kill() }
    try proxy.wait { $0.method == "PUT" && $0.target.contains("/pins/") }
    restore.signal(SIGSTOP)
    let repository = BackupRepository(
      try StoreConfiguration.fromEnvironment(backup.environment).open(cancellation: Cancellation()))
    let deadline = ContinuousClock.now + .seconds(60)
    while try repository.catalog().pins.isEmpty, ContinuousClock.now < deadline { usleep(50_000) }
    let pruned = try Command.run(
      backup.path, ["prune", "--keep-days", "0", "--keep-last", "1"],
      environment: backup.environment)
    Tool.Outcome(result: pruned).expectSuccess()
    #expect(try repository.catalog().entries.count == 2)
    restore.signal(SIGCONT)
    Tool.Outcome(result: try restore.wait()).expectSuccess()
    #expect(try bench.contents(of: bench.target) == bench.contents(of: bench.database.name))
    #expect(try repository.catalog().pins.isEmpty)
  }

  @Test(arguments: signals)
  func migrateUp(signal: Int32) throws {
    let bench = try Bench(rows: 10)
    let folder = try TestDirectory()
    try folder.write("CREATE TABLE shop.first (id int);\n", to: "1_first.up.sql")
    try folder.write("DROP TABLE shop.first;\n", to: "1_first.down.sql")
    try folder.write(
      "CREATE TABLE shop.second (id int);\nSELECT pg_sleep(current_setting('bench.sleep')::int);\n",
      to: "2_second.up.sql")
    try folder.write("DROP TABLE shop.second;\n", to: "2_second.down.sql")
    try bench.cluster.psql("ALTER ROLE \(bench.role) SET bench.sleep = '60'")
    let run = try bench.migrate.start("up", "--dir", folder.path)
    try bench.waitForStatement(like: "%pg_sleep%")
    try interrupt(run, signal, saying: "1_first")
    try bench.expectNoSessions()
    // The first is applied, and nothing of the second.
    #expect(
      try bench.database.psql(
        "SELECT to_regclass('shop.first') IS NULL, to_regclass('shop.second') IS NULL") == "f|t")
    try bench.cluster.psql("ALTER ROLE \(bench.role) SET bench.sleep = '0'")
    try bench.migrate("up", "--dir", folder.path).expectSuccess()
    #expect(try bench.database.psql("SELECT to_regclass('shop.second') IS NULL") == "f")
  }

  @Test func aSecondSignalLeavesAtOnce() throws {
    let bench = try Bench(rows: 10)
    let folder = try TestDirectory()
    try folder.write("SELECT pg_sleep(60);\n", to: "1_sleep.up.sql")
    try folder.write("SELECT 1;\n", to: "1_sleep.down.sql")
    let proxy = try FaultProxy(to: bench.cluster.port)
    let migrate = bench.migrate.with([
      "DATABASE_URL": bench.url(bench.database.name, port: proxy.port)
    ])
    let run = try migrate.start("up", "--dir", folder.path)
    try bench.waitForStatement(like: "%pg_sleep%")
    // Cancelling does not get through, so that the first signal alone would take a while.
    proxy.set(.refuse)
    run.signal(SIGINT)
    usleep(300_000)
    let sent = ContinuousClock.now
    run.signal(SIGINT)
    #expect(try run.wait().ending == .exited(130))
    #expect(ContinuousClock.now - sent < .seconds(15))
    proxy.cut()
    try bench.expectNoSessions()
  }
}

extension HTTPFaultProxy {
  /// Waits until such a request has come, for a minute at most.
  fileprivate func wait(for isMeant: (Request) -> Bool) throws {
    let deadline = ContinuousClock.now + .seconds(60)
    while !requests.contains(where: isMeant) {
      guard ContinuousClock.now < deadline else { throw TestSupportError("no such request came") }
      usleep(20_000)
    }
  }
}
