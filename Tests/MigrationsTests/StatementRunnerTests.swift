import ByteStream
import Foundation
import Migrations
import Postgres
import TestSupport
import Testing

/// Migrations without a transaction.
@Suite struct StatementRunnerTests {
  @Test(arguments: [15, 18])
  func eachStatementIsACallOfItsOwn(_ major: Int) throws {
    let fixture = try Fixture(major)
    let files = try Fixture.files([
      "1_a": (
        """
        -- pgkeep: no-transaction
        CREATE TABLE a (i int, j int);
        CREATE INDEX CONCURRENTLY a_i ON a (i);
        CREATE INDEX CONCURRENTLY a_j ON a (j);
        VACUUM a;
        """,
        "-- pgkeep: no-transaction\nDROP INDEX CONCURRENTLY a_j;\nDROP INDEX CONCURRENTLY a_i;\n"
          + "DROP TABLE a;"
      )
    ])
    let migrator = try fixture.migrator()
    try migrator.up(files)
    #expect(try migrator.status(files).lines.map(\.state) == [.applied])
    try migrator.down(.steps(1))
    #expect(try fixture.tables() == [])
    #expect(try migrator.history().map(\.outcome) == [.started, .done, .started, .done])
  }

  @Test func aFailureIsRecordedAndTheNextRunGoesOnThere() throws {
    let fixture = try Fixture()
    func files(_ third: String, first: String = "CREATE TABLE a (i int);") throws -> MigrationFiles
    {
      try Fixture.files([
        "1_a": (
          """
          -- pgkeep: no-transaction
          \(first)
          INSERT INTO a VALUES (1), (1);
          \(third)
          INSERT INTO a VALUES (2);
          """, "DROP TABLE a;"
        )
      ])
    }
    let migrator = try fixture.migrator()
    let bad = try files("CREATE UNIQUE INDEX CONCURRENTLY a_i ON a (i);")
    let error = try failure { try migrator.up(bad) }
    #expect(error.code == .unfinished)
    #expect(error.failure?.line == 4)
    #expect(error.failure?.server.sqlState == "23505")
    #expect(error.message.contains("statement 3 of 4"))
    #expect(error.message.contains("invalid index public.a_i that it left was dropped"))
    #expect(try fixture.database.psql("SELECT to_regclass('a_i') IS NULL") == "t")
    #expect(try migrator.status(bad).lines.map(\.state) == [.unfinished])
    #expect(try migrator.history().map(\.outcome) == [.started, .failed])
    // It fails again the same way, goes not down, and refuses a file whose past has changed.
    #expect(try failure { try migrator.up(bad) }.code == .unfinished)
    #expect(try failure { try migrator.down(.steps(1)) }.code == .unfinished)
    let rewritten = try files("SELECT 1;", first: "CREATE TABLE a (i bigint);")
    let refused = try failure { try migrator.up(rewritten) }
    #expect(refused.code == .unfinished)
    #expect(refused.message.contains("statement 1"))
    #expect(try fixture.database.psql("SELECT count(*) FROM a") == "2")
    // Mended, it goes on where it stopped.
    try migrator.up(files("CREATE INDEX CONCURRENTLY a_i ON a (i);"))
    #expect(try fixture.database.psql("SELECT string_agg(i::text, ',') FROM a") == "1,1,2")
    #expect(try migrator.down(.steps(1)).count == 1)
  }

  @Test func anInvalidIndexIsNotTakenForTheWholeOne() throws {
    let fixture = try Fixture()
    try fixture.database.psql("CREATE TABLE a (i int); INSERT INTO a VALUES (1), (1)")
    _ = try? fixture.database.psql("CREATE UNIQUE INDEX CONCURRENTLY \"A i\" ON a (i)")
    #expect(
      try fixture.database.psql("SELECT indisvalid FROM pg_index WHERE indrelid='a'::regclass")
        == "f")
    try fixture.database.psql("DELETE FROM a")
    let files = try Fixture.files([
      "1_a": (
        "-- pgkeep: no-transaction\nCREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS \"A i\" "
          + "ON /* the table */ public.a (i);", "DROP INDEX \"A i\";"
      )
    ])
    try fixture.migrator().up(files)
    #expect(
      try fixture.database.psql("SELECT indisvalid FROM pg_index WHERE indrelid='a'::regclass")
        == "t")
  }

  @Test func aProcedureThatCommitsRunsOutsideOfATransaction() throws {
    let fixture = try Fixture()
    let files = try Fixture.files([
      "1_a": (
        """
        -- pgkeep: no-transaction
        CREATE TABLE a (i int);
        DO $$ BEGIN FOR n IN 1..3 LOOP INSERT INTO a VALUES (n); COMMIT; END LOOP; END $$;
        """, "DROP TABLE a;"
      )
    ])
    try fixture.migrator().up(files)
    #expect(try fixture.database.psql("SELECT count(*) FROM a") == "3")
  }

  @Test func whatNeedsNoTransactionIsSaidInATransaction() throws {
    let fixture = try Fixture()
    let files = try Fixture.files(["1_a": ("VACUUM;", "SELECT 1;")])
    let error = try failure { try fixture.migrator().up(files) }
    #expect(error.message.contains("-- pgkeep: no-transaction"))
  }

  @Test func stoppingCancelsOnTheServerAndCleansUp() throws {
    let fixture = try Fixture()
    try fixture.database.psql("CREATE TABLE a (i int)")
    let blocker = try Connection(
      ConnectionTarget(fixture.database.url), ConnectionOptions(applicationName: "blocker"),
      cancellation: Cancellation())
    try blocker.run("BEGIN; LOCK TABLE public.a IN ROW EXCLUSIVE MODE")
    let files = try Fixture.files([
      "1_a": (
        "-- pgkeep: no-transaction\nCREATE TABLE b (i int);\n"
          + "CREATE INDEX CONCURRENTLY a_i ON a (i);", "DROP INDEX a_i;"
      )
    ])
    JobThread.start("stopper") {
      let isBlocked = """
        SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database()
          AND application_name LIKE 'pgkeep migrate work%' AND wait_event_type = 'Lock'
        """
      for _ in 0..<1000 where (try? fixture.database.psql(isBlocked)) != "t" { usleep(20_000) }
      fixture.cancellation.cancel(reason: "test")
    }
    let error = try failure { try fixture.migrator().up(files) }
    #expect(error.code == .cancelled)
    #expect(error.message.contains("statement 2 of 2"))
    blocker.close()
    #expect(
      try fixture.database.psql(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
          + "AND application_name LIKE 'pgkeep migrate%'") == "0")
    let again = Fixture(sameDatabaseAs: fixture)
    try again.migrator().up(files)
    #expect(
      try fixture.database.psql("SELECT indisvalid FROM pg_index WHERE indrelid='a'::regclass")
        == "t")
  }
}
