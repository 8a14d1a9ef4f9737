import ByteStream
import Foundation
import Postgres
import TestSupport
import Testing

/// `migrate` killed, interrupted and started many times, as hooks and people do it.
@Suite struct MigrateFaultTests {
  private let database: TemporaryDatabase
  private let folder: TestDirectory

  init() throws {
    database = try TemporaryCluster.shared().createDatabase(named: "migrate")
    folder = try TestDirectory()
  }

  private func write(_ name: String, _ up: String, _ down: String = "SELECT 1;") throws {
    try folder.write(up, to: "\(name).up.sql")
    try folder.write(down, to: "\(name).down.sql")
  }

  private func start(_ arguments: String...) throws -> RunningCommand {
    try Command.start(
      BuiltExecutable.migrate, arguments + ["--dir", folder.path],
      environment: ["DATABASE_URL": database.url, "LOG_FORMAT": "text"])
  }

  private func migrate(_ arguments: String...) throws -> CommandResult {
    try Command.run(
      BuiltExecutable.migrate, arguments + ["--dir", folder.path],
      environment: ["DATABASE_URL": database.url, "LOG_FORMAT": "text"])
  }

  private func blocker(_ lock: String) throws -> Connection {
    let connection = try Connection(
      ConnectionTarget(database.url), ConnectionOptions(applicationName: "blocker"),
      cancellation: Cancellation())
    try connection.run("BEGIN; LOCK TABLE \(SQLText(lock)) MODE")
    return connection
  }

  /// Waits until this gives `t`.
  private func until(_ sql: String) throws {
    let deadline = ContinuousClock.now + .seconds(30)
    while try database.psql(sql) != "t" {
      guard ContinuousClock.now < deadline else { throw TestSupportError("never true: \(sql)") }
      usleep(20_000)
    }
  }

  private static let noSession =
    "SELECT count(*) = 0 FROM pg_stat_activity WHERE datname = current_database() AND "
    + "application_name LIKE 'pgkeep%'"

  private static let isSleeping =
    "SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database() AND "
    + "query LIKE 'SELECT pg_sleep%'"

  private static let isBlocked =
    "SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database() AND "
    + "application_name LIKE 'pgkeep migrate work%' AND wait_event_type = 'Lock'"

  @Test func interruptingEndsTheStatementOnTheServer() throws {
    try write("1_a", "CREATE TABLE a (i int);\nSELECT pg_sleep(60);")
    let running = try start("up")
    try until(Self.isSleeping)
    running.signal(SIGINT)
    let result = try running.wait(timeout: .seconds(120))
    #expect(result.exitCode == 130)
    #expect(result.errorText.contains("Nothing of 1_a stays"))
    try until(Self.noSession)
    #expect(try database.psql("SELECT to_regclass('a') IS NULL") == "t")
  }

  @Test func killedInATransactionNothingStaysAndTheNextRunSucceeds() throws {
    try write("1_a", "CREATE TABLE a (i int);\nSELECT pg_sleep(5);")
    let running = try start("up")
    try until(Self.isSleeping)
    running.kill()
    #expect(try running.wait().ending == .signaled(SIGKILL))
    let again = try migrate("up")
    #expect(again.exitCode == 0, "\(again.errorText)")
    #expect(try database.psql("SELECT count(*) FROM pgkeep.migration_history") == "1")
    try until(Self.noSession)
  }

  /// Killed at each of five statements, of kinds that leave different things behind.
  @Test(arguments: 1...5)
  func killedWithoutATransactionTheNextRunGoesOnWhereItWas(_ statement: Int) throws {
    try database.psql(
      """
      CREATE TABLE t1 (i int); CREATE TABLE t2 (n int); CREATE TABLE t3 (i int);
      CREATE TABLE t4 (n int); CREATE TABLE t5 (i int);
      INSERT INTO t4 VALUES (0); CREATE INDEX t3_i ON t3 (i);
      """)
    try write(
      "1_a",
      """
      -- pgkeep: no-transaction
      CREATE INDEX CONCURRENTLY t1_i ON t1 (i);
      INSERT INTO t2 VALUES (1);
      DROP INDEX CONCURRENTLY t3_i;
      UPDATE t4 SET n = n + 1;
      CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS t5_i ON t5 (i);
      """)
    let isWrite = statement == 2 || statement == 4
    let held = try blocker("public.t\(statement) IN \(isWrite ? "EXCLUSIVE" : "ROW EXCLUSIVE")")
    let running = try start("up")
    try until(Self.isBlocked)
    running.kill()
    #expect(try running.wait().ending == .signaled(SIGKILL))
    let again = try start("up")
    usleep(300_000)
    held.close()
    let result = try again.wait()
    #expect(result.exitCode == 0, "\(result.errorText)")
    #expect(try database.psql("SELECT string_agg(n::text, ',') FROM t2") == "1")
    #expect(try database.psql("SELECT n FROM t4") == "1")
    #expect(
      try database.psql(
        """
        SELECT string_agg(indexrelid::regclass || ' ' || indisvalid, ', ' ORDER BY 1)
        FROM pg_index WHERE indrelid IN ('t1'::regclass, 't3'::regclass, 't5'::regclass)
        """) == "t1_i true, t5_i true")
    try until(Self.noSession)
  }

  @Test func tenProcessesAtOnceLeaveOneHistory() throws {
    try write("1_a", "CREATE TABLE a (i int); SELECT pg_sleep(0.5);")
    try write("2_b", "-- pgkeep: no-transaction\nCREATE INDEX CONCURRENTLY a_i ON a (i);")
    let all = try (0..<10).map { _ in try start("up") }
    for running in all {
      let result = try running.wait()
      #expect(result.exitCode == 0, "\(result.errorText)")
    }
    #expect(
      try database.psql(
        "SELECT count(*) FROM pgkeep.migration_history WHERE outcome = 'done'") == "2")
  }

  @Test func theLockHeldTooLongHasItsExitCode() throws {
    try write("1_a", "SELECT 1;")
    let holder = try Connection(
      ConnectionTarget(database.url), ConnectionOptions(applicationName: "somebody"),
      cancellation: Cancellation())
    try holder.run("SELECT pg_advisory_lock(8099560538086834177)")
    let result = try migrate("up", "--lock-wait", "300ms")
    #expect(result.exitCode == 6)
    #expect(result.errorText.contains("(somebody)"))
    holder.close()
  }
}
