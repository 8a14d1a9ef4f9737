import ByteStream
import Postgres
import TestSupport
import Testing

@testable import LogicalBackup

@Suite struct ExportFaultTests {
  /// A database with enough rows that an export has many members.
  private func withSource(_ body: (TemporaryDatabase) throws -> Void) throws {
    let source = try TemporaryCluster.shared().createDatabase(named: "faults")
    defer { try? source.drop() }
    try source.psql(
      """
      CREATE TABLE big (a int, b text);
      INSERT INTO big SELECT i, repeat(md5(i::text), 8) FROM generate_series(1, 300000) i;
      CREATE TABLE small (a int);
      """)
    try body(source)
  }

  private func options() -> ExportOptions {
    ExportFixture.options(jobs: 3, memberSize: 100_000)
  }

  /// Our sessions in the database end by themselves, within seconds.
  private func expectNoSessions(_ source: TemporaryDatabase) throws {
    var left = ""
    for _ in 0..<100 {
      left = try source.psql(
        "SELECT pid, state, query FROM pg_stat_activity WHERE datname = current_database() "
          + "AND application_name LIKE 'pgkeep%'")
      if left.isEmpty { return }
      try JobPause.milliseconds(100)
    }
    Issue.record("sessions are left: \(left)")
  }

  @Test("A worker whose server process is killed fails the export, with the table's name")
  func killedBackend() throws {
    try withSource { source in
      let first = Once()
      let sink = MemorySink()
      do {
        _ = try ExportFixture.export(source, options(), to: sink) { progress in
          guard progress.rows > 0, first.take() else { return }
          _ = try? source.psql(
            """
            SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE datname = current_database() AND query LIKE 'COPY%big%' AND state = 'active'
            """)
        }
        Issue.record("an export without one of its workers was whole")
      } catch let error as LogicalBackupError {
        #expect(error.code == .server && error.object == "public.big")
        let cause = try #require(error.cause as? PostgresError)
        #expect(cause.code == .connectionLost, "\(cause)")
      }
      #expect(!sink.isFinished && sink.aborts > 0)
      try expectNoSessions(source)
      #expect(try ExportFixture.export(source).result.totals.rows == 300_000)
    }
  }

  @Test("A store that fails ends the export with the store's error, and every session with it")
  func failingSink() throws {
    try withSource { source in
      for limit in [0, 1000, 500_000] {
        let sink = MemorySink(limit: limit)
        #expect(throws: MemorySink.Failure.self) {
          _ = try ExportFixture.export(source, options(), to: sink)
        }
        #expect(!sink.isFinished && sink.aborts > 0)
        try expectNoSessions(source)
      }
    }
  }

  @Test("A cancelled export stops, aborts its sink and ends its sessions")
  func cancelled() throws {
    try withSource { source in
      let cancellation = Cancellation()
      let sink = MemorySink()
      do {
        _ = try ExportFixture.export(source, options(), to: sink, cancellation: cancellation) {
          if $0.rows > 0 { cancellation.cancel(reason: "the test says so") }
        }
        Issue.record("a cancelled export was whole")
      } catch {
        #expect("\(error)".contains("the test says so"), "\(error)")
      }
      #expect(!sink.isFinished && sink.aborts > 0)
      try expectNoSessions(source)
    }
  }

  @Test("A table that is locked exclusively for long is named, and no sink is made")
  func lockedTable() throws {
    try withSource { source in
      let holder = try Connection(
        ConnectionTarget(source.url), ConnectionOptions(applicationName: "migration"),
        cancellation: Cancellation())
      try holder.run("BEGIN; LOCK TABLE public.small IN ACCESS EXCLUSIVE MODE")
      var options = options()
      options.snapshot.lockWait = .milliseconds(200)
      let exporter = LogicalExporter(
        try ConnectionTarget(source.url), options, cancellation: Cancellation())
      do {
        _ = try exporter.export { _ in
          Issue.record("a sink was made")
          return MemorySink()
        }
      } catch let error as LogicalBackupError {
        #expect(error.code == .lockNotObtained && error.object == "public.small")
        #expect(error.message.contains("application migration"))
      }
      holder.close()
    }
  }

  @Test("Row security hides no row: it is an error that names the table")
  func rowSecurity() throws {
    let role = TemporaryCluster.uniqueName("limited")
    try withSource { source in
      try source.psql(
        """
        CREATE ROLE \(role) LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO \(role);
        ALTER TABLE big ENABLE ROW LEVEL SECURITY;
        CREATE POLICY half ON big USING (a % 2 = 0);
        """)
      defer { _ = try? source.psql("DROP OWNED BY \(role); DROP ROLE \(role)") }
      do {
        _ = try ExportFixture.export(source, options(), url: source.url(user: role))
        Issue.record("rows that a policy hides were left out in silence")
      } catch let error as LogicalBackupError {
        #expect(error.object == "public.big", "\(error)")
        #expect((error.cause as? PostgresError)?.sqlState == .insufficientPrivilege)
      }
    }
  }

  @Test("What the server cannot write down is an error of its own, not a changing schema")
  func unreadableView() throws {
    try withSource { source in
      try source.psql(
        """
        CREATE FUNCTION gone() RETURNS int LANGUAGE sql AS 'SELECT 1';
        CREATE VIEW broken AS SELECT gone();
        SET allow_system_table_mods = on;
        DELETE FROM pg_proc WHERE proname = 'gone';
        """)
      #expect(throws: PostgresError.self) { _ = try ExportFixture.export(source, options()) }
    }
  }

  @Test("A database without anything in it is a backup too")
  func emptyDatabase() throws {
    let source = try TemporaryCluster.shared().createDatabase()
    defer { try? source.drop() }
    let (result, bytes) = try ExportFixture.export(source)
    #expect(result.totals.rows == 0 && result.tables.isEmpty)
    #expect(try LogicalFileFixture.reader(bytes).readIndex().facts == result.facts)
    let restored = try TemporaryCluster.shared().createDatabase()
    defer { try? restored.drop() }
    try ExportFixture.restore(bytes, into: restored)
  }

  @Test("A restore on a server without the roles stops before it makes anything, and names them")
  func missingRoles() throws {
    let cluster = try TemporaryCluster.shared()
    let role = TemporaryCluster.uniqueName("it's \\ missing")
    let source = try cluster.createDatabase()
    defer { try? source.drop() }
    try source.psql(
      "CREATE ROLE \"\(role)\"; CREATE TABLE t (a int); ALTER TABLE t OWNER TO \"\(role)\"")
    let (_, bytes) = try ExportFixture.export(source)
    try source.psql("REASSIGN OWNED BY \"\(role)\" TO postgres; DROP ROLE \"\(role)\"")
    let restored = try cluster.createDatabase()
    defer { try? restored.drop() }
    let sql = try Command.check("gunzip", ["-c"], input: bytes).output
    let outcome = try cluster.run(
      "psql", ["-qXo", "/dev/null", "-v", "ON_ERROR_STOP=1", "-d", restored.name], input: sql)
    #expect(outcome.exitCode == 3)
    #expect(outcome.errorText.contains("lacks roles that the backup names: \"\(role)\""))
    let tables = try restored.psql("SELECT count(*) FROM pg_class WHERE relname = 't'")
    #expect(tables.hasPrefix("0"))
  }
}
