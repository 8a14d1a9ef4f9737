import Foundation
import Migrations
import Postgres
import TestSupport
import Testing

@Suite struct MigratorTests {
  static let two: KeyValuePairs<String, (String, String)> = [
    "1_a": ("CREATE TABLE a (i int);\nINSERT INTO a VALUES (1);", "DROP TABLE a;"),
    "2_b": ("CREATE TABLE b (i int);", "DROP TABLE b;"),
  ]

  @Test(arguments: [15, 18])
  func upDownAndUpAgain(_ major: Int) throws {
    let fixture = try Fixture(major)
    let files = try Fixture.files(Self.two)
    let migrator = try fixture.migrator()
    #expect(try migrator.status(files).lines.map(\.state) == [.pending, .pending])
    #expect(try migrator.up(files, to: version("1")).map(\.step.title) == ["1_a"])
    #expect(try fixture.tables() == ["a"])
    #expect(try migrator.up(files).map(\.step.title) == ["2_b"])
    #expect(try migrator.up(files).isEmpty)
    // The database alone is enough to go down.
    #expect(try migrator.down(.steps(1)).map(\.step.title) == ["2_b"])
    #expect(try fixture.tables() == ["a"])
    #expect(try migrator.current()?.title == "1_a")
    try migrator.up(files)
    #expect(try migrator.down(.version(version("1"))).count == 1)
    #expect(try migrator.down(.steps(1)).map(\.step.title) == ["1_a"])
    #expect(try fixture.tables() == [])
    let history = try migrator.history()
    #expect(history.map(\.direction) == [.up, .up, .down, .up, .down, .down])
    #expect(history[2].undoes == history[1].id)
    #expect(history.allSatisfy { $0.role == "postgres" && $0.toolVersion == "test" })
    #expect(history[0].statements == 2)
    #expect(history[0].durationMilliseconds != nil)
    #expect(
      try fixture.database.psql(
        "SELECT count(*) FROM pgkeep.migration_history WHERE up_text IS NULL OR down_text IS NULL")
        == "0")
  }

  @Test func statusTellsAppliedPendingMissingAndChanged() throws {
    let fixture = try Fixture()
    let migrator = try fixture.migrator()
    try migrator.up(try Fixture.files(Self.two))
    let other = try Fixture.files([
      "1_a": ("CREATE TABLE a (i bigint);", "DROP TABLE a;"), "3_c": ("SELECT 1;", "SELECT 1;"),
    ])
    let status = try migrator.status(other)
    #expect(status.lines.map(\.state) == [.changed, .missing, .pending])
    #expect(status.current?.title == "2_b")
    #expect(!status.lines[0].isDownChanged)
    let third = try Fixture.files(["1_a": (Self.two[0].value.0, "DROP TABLE a CASCADE;")])
    #expect(try migrator.status(third).lines[0].isDownChanged)
    #expect(try migrator.status(third).lines[0].state == .applied)
  }

  @Test func nothingStaysOfAMigrationThatFails() throws {
    let fixture = try Fixture()
    let migrator = try fixture.migrator()
    let files = try Fixture.files([
      "1_a": ("CREATE TABLE a (i int);", "DROP TABLE a;"),
      "2_b": (
        "CREATE TABLE b (i int);\n\n-- Größe\nINSERT INTO b\n\tSELECT 'ü', größe FROM b;",
        "DROP TABLE b;"
      ),
      "3_c": ("CREATE TABLE c (i int);", "DROP TABLE c;"),
    ])
    let error = try failure { try migrator.up(files) }
    #expect(error.code == .statementFailed)
    let place = try #require(error.failure)
    #expect(place.file == "2_b.up.sql")
    #expect(place.line == 5)
    #expect(place.column == 14)
    #expect(place.server.sqlState == "42703")
    #expect(
      place.description.hasPrefix(
        """
        2_b.up.sql:5:14: ERROR: column "größe" does not exist (SQLSTATE 42703)
          5 | \tSELECT 'ü', größe FROM b;
            | \t            ^
        """), "\(place)")
    #expect(error.done.map(\.step.title) == ["1_a"])
    #expect(try fixture.tables() == ["a"])
    #expect(try migrator.history().count == 1)
  }

  /// A step's COMMIT is sent together with what prepares the session for the next one.
  @Test func aStepIsDoneWhenOnlyThePreparationOfTheNextFails() throws {
    let fixture = try Fixture()
    let role = "locked_out_\(fixture.database.name)"
    try fixture.database.psql(
      """
      CREATE ROLE \(role) LOGIN;
      GRANT CREATE ON DATABASE "\(fixture.database.name)" TO \(role);
      GRANT CREATE ON SCHEMA public TO \(role);
      CREATE FUNCTION lock_out() RETURNS void LANGUAGE sql SECURITY DEFINER AS
        'REVOKE EXECUTE ON FUNCTION pg_catalog.pg_advisory_unlock_all() FROM PUBLIC';
      """)
    let migrator = try fixture.migrator(
      url: fixture.database.url.replacing("postgres@", with: "\(role)@")
    ) { $0.recordsSchema = false }
    let files = try Fixture.files([
      "1_a": ("CREATE TABLE a (i int); SELECT lock_out();", "DROP TABLE a;"),
      "2_b": ("CREATE TABLE b (i int);", "DROP TABLE b;"),
    ])
    #expect(throws: (any Error).self) { try migrator.up(files) }
    #expect(try fixture.tables() == ["a"])
    #expect(fixture.events.all == ["up 1_a"])
    #expect(try migrator.history().map(\.title) == ["1_a"])
    try fixture.database.psql(
      "GRANT EXECUTE ON FUNCTION pg_catalog.pg_advisory_unlock_all() TO PUBLIC")
    #expect(try migrator.up(files).map(\.step.title) == ["2_b"])
  }

  @Test func theLocksOfStatementsAreKeptUnderTheirTablesNames() throws {
    let fixture = try Fixture()
    let name = "we\"ird\\ \u{1}ä"
    let quoted = "\"\(name.replacing("\"", with: "\"\""))\""
    try fixture.migrator().up(
      try Fixture.files([
        "1_a": (
          "CREATE SCHEMA \"S\"; CREATE TABLE \"S\".\(quoted) (i int); "
            + "CREATE TABLE short (i int); DROP TABLE short; "
            + "ALTER TABLE \"S\".\(quoted) ADD j int;", "DROP SCHEMA \"S\" CASCADE;"
        )
      ]))
    let locks = try fixture.database.psql(
      """
      SELECT s.place || ' ' || (l->>'mode') || ' ' || (l->>'relation')
      FROM pgkeep.migration_history h,
        jsonb_array_elements(h.details->'statements') WITH ORDINALITY s (value, place),
        jsonb_array_elements(s.value->'locks') l ORDER BY 1
      """)
    // Each lock once, where it was taken; what is gone again has no name any more.
    #expect(
      locks == "2 ACCESS EXCLUSIVE \"S\".\(quoted)\n3 ACCESS EXCLUSIVE public.short", "\(locks)")
  }

  @Test func detailAndHintAreShown() throws {
    let fixture = try Fixture()
    let files = try Fixture.files([
      "1_a": (
        "CREATE TABLE a (i int PRIMARY KEY);\nINSERT INTO a VALUES (1), (1);", "DROP TABLE a;"
      )
    ])
    let error = try failure { try fixture.migrator().up(files) }
    #expect(error.description.contains("1_a.up.sql:2: ERROR: duplicate key"))
    #expect(error.description.contains("DETAIL: Key (i)=(1) already exists."))
    #expect(error.description.contains("SQLSTATE 23505"))
    #expect(error.description.contains("2 | INSERT INTO a VALUES (1), (1);"))
  }

  @Test func whatFailsAtTheCommitIsSaid() throws {
    let fixture = try Fixture()
    let files = try Fixture.files([
      "1_a": (
        """
        CREATE TABLE a (i int PRIMARY KEY, j int REFERENCES a DEFERRABLE INITIALLY DEFERRED);
        INSERT INTO a VALUES (1, 2);
        """, "DROP TABLE a;"
      )
    ])
    let error = try failure { try fixture.migrator().up(files) }
    #expect(error.description.contains("foreign key"))
    #expect(try fixture.tables() == [])
    #expect(try fixture.migrator().history().isEmpty)
  }

  @Test func ofEverythingThatIsWrongNothingIsApplied() throws {
    let fixture = try Fixture()
    let files = try Fixture.files([
      "1_a": ("CREATE TABLE a (i int);", "DROP TABLE a;"),
      "2_b": ("CREATE TABLE b (i int);\nCOMMIT;", "DROP TABLE b;"),
    ])
    let error = try failure { try fixture.migrator().up(files) }
    #expect(error.code == .invalidFiles)
    #expect(error.problems.first?.line == 2)
    #expect(error.problems.first?.file == "2_b.up.sql")
    #expect(try fixture.tables() == [])
  }

  @Test(arguments: [
    "BEGIN; SELECT 1;", "start transaction; SELECT 1;", "SELECT 1; rollback;", "SELECT 1; END;",
    "PREPARE TRANSACTION 'x';", "\\i other.sql", "SELECT 'open", "-- nothing", "/* nothing */",
  ])
  func whatHasNoPlaceInAMigrationIsRefused(_ text: String) throws {
    let fixture = try Fixture()
    let files = try Fixture.files(["1_a": (text, "SELECT 1;")])
    let error = try failure { try fixture.migrator().up(files) }
    #expect(error.code == .invalidFiles)
    #expect(error.problems.count == 1)
  }

  @Test func savepointsAndBodiesWithCommitAreFine() throws {
    let fixture = try Fixture()
    let files = try Fixture.files([
      "1_a": (
        """
        SAVEPOINT s; CREATE TABLE gone (); ROLLBACK TO SAVEPOINT s; RELEASE SAVEPOINT s;
        CREATE PROCEDURE p() LANGUAGE plpgsql AS $$ BEGIN COMMIT; END $$;
        CREATE FUNCTION one() RETURNS int BEGIN ATOMIC SELECT 1; END;
        """, "DROP FUNCTION one; DROP PROCEDURE p;"
      )
    ])
    #expect(try fixture.migrator().up(files).first?.statements == 6)
    try fixture.migrator().down(.steps(1))
  }

  @Test func rowsOfACopyAreTakenFromTheFile() throws {
    let fixture = try Fixture()
    let files = try Fixture.files([
      "1_a": (
        "CREATE TABLE a (i int, t text);\nCOPY a FROM stdin;\n1\tone;\n2\t\\N\n\\.\nSELECT 1;",
        "DROP TABLE a;"
      )
    ])
    try fixture.migrator().up(files)
    #expect(try fixture.database.psql("SELECT * FROM a ORDER BY i") == "1|one;\n2|")
    let bad = try Fixture.files([
      "2_b": ("COPY a FROM stdin;\n1\tone\nx\ttwo\n\\.\n", "SELECT 1;")
    ])
    let error = try failure { try fixture.migrator().up(bad) }
    #expect(error.failure?.line == 3)
    #expect(error.failure?.lineText == "x\ttwo")
    #expect(try fixture.database.psql("SELECT count(*) FROM a") == "2")
  }

  @Test func noMigrationSeesWhatAnotherLeftInItsSession() throws {
    let fixture = try Fixture()
    let role = TemporaryCluster.uniqueName("nobody")
    try fixture.database.psql("CREATE ROLE \(role); CREATE SCHEMA other")
    let files = try Fixture.files([
      "1_a": (
        """
        SET search_path = other; SET ROLE \(role); SET statement_timeout = 1; RESET ROLE;
        SET statement_timeout = 0; CREATE TEMP TABLE temporary (i int);
        SET standard_conforming_strings = off; SET DateStyle = 'German'; SET ROLE \(role);
        SET application_name = 'mine'; SELECT pg_advisory_unlock_all();
        """, "SELECT 1;"
      ),
      "2_b": ("CREATE TABLE b (i int); CREATE TABLE temporary (i int);", "SELECT 1;"),
      "3_c": (
        """
        DO $$ BEGIN
          ASSERT current_user = 'postgres' AND to_regclass('pg_temp.temporary') IS NULL
            AND current_setting('standard_conforming_strings') = 'on'
            AND current_setting('DateStyle') NOT LIKE 'German%'
            AND current_setting('client_connection_check_interval') = '2s';
        END $$;
        """, "SELECT 1;"
      ),
    ])
    try fixture.migrator().up(files)
    #expect(try fixture.tables() == ["b", "temporary"])
    #expect(try fixture.migrator().history().allSatisfy { $0.role == "postgres" })
  }

  @Test func anOlderFileIsRefusedUntilItIsAllowed() throws {
    let fixture = try Fixture()
    try fixture.migrator().up(try Fixture.files(["2_b": ("SELECT 1;", "SELECT 1;")]))
    let late = try Fixture.files(Self.two)
    let error = try failure { try fixture.migrator().up(late) }
    #expect(error.code == .outOfOrder)
    #expect(error.message.contains("1_a"))
    #expect(try fixture.tables() == [])
    try fixture.migrator { $0.outOfOrder = .warn }.up(late)
    #expect(fixture.events.all.contains { $0.hasPrefix("warning") && $0.contains("1_a") })
    // What was applied last goes first, whatever its number.
    #expect(try fixture.migrator().down(.steps(1)).map(\.step.title) == ["1_a"])
  }

  @Test func stepsThatCannotBeTakenAreRefused() throws {
    let fixture = try Fixture()
    let migrator = try fixture.migrator()
    #expect(try failure { try migrator.down(.steps(1)) }.code == .noSuchStep)
    let files = try Fixture.files(Self.two)
    try migrator.up(files)
    #expect(try failure { try migrator.down(.steps(3)) }.code == .noSuchStep)
    #expect(try failure { try migrator.down(.version(version("7"))) }.code == .noSuchStep)
    #expect(try failure { try migrator.up(files, to: version("7")) }.code == .noSuchStep)
    #expect(try fixture.tables() == ["a", "b"])
  }

  @Test func anIrreversibleMigrationIsTakenBackOnlyWhenToldTo() throws {
    let fixture = try Fixture()
    let migrator = try fixture.migrator()
    let files = try Fixture.files(named: [
      "1_a.up.sql": "-- pgkeep: irreversible values are lost\nCREATE TABLE a (i int);"
    ])
    try migrator.up(files)
    let error = try failure { try migrator.down(.steps(1)) }
    #expect(error.code == .irreversible)
    #expect(error.message.contains("values are lost"))
    try migrator.down(.steps(1), allowsIrreversible: true)
    #expect(try fixture.tables() == ["a"])
    #expect(try migrator.current() == nil)
  }

  @Test func theHistoryIsOnlyEverAddedTo() throws {
    let fixture = try Fixture()
    try fixture.migrator().up(try Fixture.files(Self.two))
    for sql in [
      "DELETE FROM pgkeep.migration_history", "UPDATE pgkeep.migration_history SET name = 'x'",
      "TRUNCATE pgkeep.migration_history CASCADE",
    ] {
      #expect(throws: TestSupportError.self) { try fixture.database.psql(sql) }
    }
  }

  @Test func aHistoryOfANewerFormIsRefused() throws {
    let fixture = try Fixture()
    let files = try Fixture.files(Self.two)
    try fixture.migrator().up(files)
    try fixture.database.psql("INSERT INTO pgkeep.format VALUES (99, '9.0')")
    #expect(try failure { try fixture.migrator().up(files) }.code == .historyTooNew)
  }

  @Test func aRoleThatOwnsOnlyItsDatabaseIsEnough() throws {
    let cluster = try TemporaryCluster.shared()
    let owner = TemporaryCluster.uniqueName("owner")
    let other = TemporaryCluster.uniqueName("other")
    try cluster.psql("CREATE ROLE \(owner) LOGIN; CREATE ROLE \(other) LOGIN")
    let database = try cluster.createDatabase(owner: owner)
    let files = try Fixture.files(Self.two)
    let fixture = try Fixture()
    try database.psql("GRANT CREATE ON SCHEMA public TO \(owner)")
    try fixture.migrator(url: database.url(user: owner)).up(files)
    #expect(try database.psql("SELECT count(*) FROM b", user: owner) == "0")
    let error = try failure {
      _ = try fixture.migrator(url: database.url(user: other)).status(files)
    }
    #expect(error.code == .notAllowed)
    let empty = try cluster.createDatabase(owner: owner)
    let refused = try failure { try fixture.migrator(url: empty.url(user: other)).up(files) }
    #expect(refused.code == .notAllowed)
    #expect(refused.message.contains("CREATE SCHEMA pgkeep"))
  }

  @Test func variablesStandOnlyWhereAFileAsksForThem() throws {
    let fixture = try Fixture()
    let files = try Fixture.files([
      "1_a": (
        "-- pgkeep: env WORD\nCREATE TABLE a AS SELECT '${WORD}' AS x, '${OTHER}' AS y;",
        "DROP TABLE a;"
      )
    ])
    let missing = try failure { try fixture.migrator().up(files) }
    #expect(missing.code == .invalidFiles)
    try fixture.migrator { $0.variable = { ["WORD": "secret", "OTHER": "no"][$0] } }.up(files)
    #expect(try fixture.database.psql("SELECT * FROM a") == "secret|${OTHER}")
    #expect(
      try fixture.database.psql(
        "SELECT count(*) FROM pgkeep.migration_history WHERE up_text LIKE '%secret%'") == "0")
  }

  @Test func aFileBoundsItsOwnTimes() throws {
    let fixture = try Fixture()
    let slow = "-- pgkeep: statement-timeout 200ms\nSELECT pg_sleep(20);"
    for mode in ["", "-- pgkeep: no-transaction\n"] {
      let files = try Fixture.files(["1_a": (mode + slow, "SELECT 1;")])
      let error = try failure { try fixture.migrator().up(files) }
      #expect(error.failure?.server.sqlState == .queryCanceled, "\(error)")
      if !mode.isEmpty { try fixture.migrator().repair(files, version("1"), isApplied: false) }
    }
    // The next migration has the server's own limits again.
    try fixture.migrator().up(
      Fixture.files([
        "1_a": ("-- pgkeep: statement-timeout 200ms\nSELECT 1;", "SELECT 1;"),
        "2_b": ("SELECT pg_sleep(0.4);", "SELECT 1;"),
      ]))
  }

  @Test func noticesOfTheServerArePassedOn() throws {
    let fixture = try Fixture()
    let files = try Fixture.files([
      "1_a": ("DO $$ BEGIN RAISE NOTICE 'half way'; END $$;", "SELECT 1;")
    ])
    try fixture.migrator().up(files)
    #expect(fixture.events.all.contains("notice half way"))
  }

  @Test func repeatableFilesRunAgainWhenTheyChange() throws {
    let fixture = try Fixture()
    let migrator = try fixture.migrator()
    func files(_ column: String) throws -> MigrationFiles {
      try Fixture.files(named: [
        "1_a.up.sql": "CREATE TABLE a (i int);", "1_a.down.sql": "DROP TABLE a CASCADE;",
        "R__v.sql": "DROP VIEW IF EXISTS v; CREATE VIEW v AS SELECT \(column) FROM a;",
      ])
    }
    #expect(try migrator.up(files("i")).map(\.step.title) == ["1_a", "R__v"])
    #expect(try migrator.up(files("i")).isEmpty)
    #expect(try migrator.status(files("i + 1 AS j")).lines.map(\.state) == [.applied, .pending])
    #expect(try migrator.up(files("i + 1 AS j")).map(\.step.title) == ["R__v"])
    #expect(try migrator.down(.steps(1)).map(\.step.title) == ["1_a"])
  }

  @Test func asyncEntryPointsWork() async throws {
    let fixture = try Fixture()
    let files = try Fixture.files(Self.two)
    let migrator = Migrator(
      try ConnectionTarget(fixture.database.url), MigratorOptions(toolVersion: "test"))
    #expect(try await migrator.planUp(files).steps.count == 2)
    try await migrator.up(files)
    #expect(try await migrator.status(files).count(.applied) == 2)
    try await migrator.down(.steps(2))
    #expect(try await migrator.history().count == 4)
  }
}
