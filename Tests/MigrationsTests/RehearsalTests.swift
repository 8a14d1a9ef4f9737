import Foundation
import Migrations
import Postgres
import TestSupport
import Testing

@Suite struct RehearsalTests {
  private func report(
    _ fixture: Fixture, _ pairs: KeyValuePairs<String, (String, String)>
  ) throws -> Rehearsal.Report {
    try Rehearsal(fixture.migrator()).run(Fixture.files(pairs))
  }

  private func names(_ report: Rehearsal.Report) -> [String] {
    report.findings.map(\.name.rawValue)
  }

  private static let base = """
    CREATE TYPE mood AS ENUM ('sad', 'ok');
    CREATE TABLE orders (id int PRIMARY KEY, customer int, total int, note text, mood mood,
      sure int NOT NULL DEFAULT 1);
    CREATE TABLE customers (id int PRIMARY KEY);
    CREATE INDEX orders_total ON orders (total);
    INSERT INTO orders SELECT i, i, i, 'x' FROM generate_series(1, 50000) i;
    ANALYZE orders;
    CREATE VIEW totals AS SELECT mood FROM orders;
    CREATE TABLE alone (i int);
    CREATE MATERIALIZED VIEW daily AS SELECT count(*) FROM alone;
    CREATE TABLE parts (i int) PARTITION BY RANGE (i);
    CREATE TABLE parts_rest PARTITION OF parts DEFAULT;
    CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (10);
    CREATE DOMAIN small AS int;
    CREATE TABLE measures (v small);
    INSERT INTO parts SELECT 5 FROM generate_series(1, 50000);
    INSERT INTO alone SELECT 15 FROM generate_series(1, 50000);
    """

  @Test(arguments: [15, 18])
  func aTrueDownIsProvenAndTheTargetIsOnlyRead(_ major: Int) throws {
    let fixture = try Fixture(major)
    try fixture.database.psql(Self.base)
    let before = try fixture.database.dump()
    let report = try report(
      fixture,
      [
        "1_a": (
          "CREATE TABLE new (id bigint PRIMARY KEY, at timestamptz DEFAULT now()); CREATE VIEW v AS "
            + "SELECT id FROM new; COMMENT ON TABLE new IS 'n';", "DROP VIEW v; DROP TABLE new;"
        ),
        "2_b": (
          "-- pgkeep: no-transaction\nCREATE INDEX CONCURRENTLY orders_note ON orders (note);",
          "DROP INDEX orders_note;"
        ),
      ])
    #expect(report.isProven)
    #expect(report.steps == ["1_a", "2_b"])
    #expect(report.findings.isEmpty, "\(report.findings)")
    let after = try fixture.database.dump()
    #expect(before.filter { $0 != "\\" }.count == after.filter { $0 != "\\" }.count)
    #expect(
      try fixture.database.psql(
        "SELECT count(*) FROM pg_database WHERE datname LIKE 'pgkeep_rehearsal%' "
          + "AND pg_catalog.shobj_description(oid, 'pg_database') IS NOT NULL") == "0")
  }

  @Test func whatADownLeavesBehindOrLosesIsNamed() throws {
    let fixture = try Fixture()
    try fixture.database.psql(Self.base)
    let left = try report(
      fixture, ["1_a": ("ALTER TABLE orders ADD COLUMN extra text;", "SELECT 1;")])
    #expect(!left.isProven)
    let message = left.findings.first { $0.name == .downDiffers }?.message ?? ""
    #expect(message.contains("leaves") && message.contains("public.orders"), "\(message)")
    #expect(message.contains("extra text"))
    #expect(names(left).contains("up-fails-again"))

    let lost = try report(
      fixture,
      ["1_a": ("CREATE TABLE x (i int);", "DROP TABLE x; DROP INDEX orders_total;")])
    #expect(
      lost.findings.contains {
        $0.name == .downDiffers && $0.message.contains("loses index public.orders_total")
      }, "\(lost.findings)")

    let fails = try report(fixture, ["1_a": ("CREATE TABLE x (i int);", "DROP TABLE y;")])
    #expect(names(fails) == ["down-fails"])
  }

  @Test func aColumnThatMovesIsNoDifference() throws {
    let fixture = try Fixture()
    try fixture.database.psql(Self.base)
    let report = try report(
      fixture,
      [
        "1_a": (
          "ALTER TABLE orders DROP COLUMN customer;", "ALTER TABLE orders ADD COLUMN customer int;"
        )
      ])
    #expect(report.isProven, "\(report.findings)")
    #expect(names(report).contains("column-dropped"))
    #expect(names(report).contains("column-moved"))
    #expect(report.findings.first { $0.name == .columnMoved }?.isNote == true)
  }

  @Test func anEnumLabelThatStaysIsAFindingOfItsOwnAndCanBeAllowed() throws {
    let fixture = try Fixture()
    try fixture.database.psql(Self.base)
    let up = "ALTER TYPE mood ADD VALUE IF NOT EXISTS 'happy';"
    let found = try report(fixture, ["1_a": (up, "SELECT 1;")])
    #expect(names(found) == ["enum-label-left"], "\(found.findings)")
    #expect(!found.isProven)
    let allowed = try report(
      fixture,
      ["1_a": ("-- pgkeep: allow enum-label-left labels do no harm\n" + up, "SELECT 1;")])
    #expect(allowed.isProven)
    #expect(allowed.findings.first?.silencedBecause == "labels do no harm")
  }

  @Test(arguments: [
    ("ALTER TABLE orders ALTER COLUMN id TYPE bigint", "table-rewrite"),
    ("ALTER TABLE orders ADD COLUMN r double precision DEFAULT random()", "table-rewrite"),
    ("CREATE INDEX more ON orders (customer)", "blocking-index"),
    ("ALTER TABLE orders ADD UNIQUE (customer)", "blocking-index"),
    ("ALTER TABLE orders ALTER COLUMN total SET NOT NULL", "scan-under-lock"),
    ("ALTER TABLE orders ADD CHECK (total > 0)", "scan-under-lock"),
    ("ALTER TABLE orders ADD COLUMN plain int", "blocks-reads"),
    (
      "ALTER TABLE orders ADD FOREIGN KEY (customer) REFERENCES customers NOT VALID",
      "blocks-writes"
    ),
    (
      "CREATE TRIGGER t BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
      "blocks-writes"
    ),
    ("ALTER TABLE orders RENAME COLUMN note TO remark", "column-dropped"),
    ("ALTER TABLE orders DROP COLUMN note", "column-dropped"),
    ("DROP TABLE customers", "table-dropped"),
    ("ALTER TABLE customers RENAME TO clients", "table-dropped"),
    ("ALTER SCHEMA public RENAME TO shop", "table-dropped"),
    ("DROP VIEW totals", "view-dropped"),
    ("ALTER TABLE orders ADD COLUMN s serial", "table-rewrite"),
    ("ALTER TABLE orders ADD COLUMN g int GENERATED ALWAYS AS (id * 2) STORED", "table-rewrite"),
    ("ALTER TABLE orders SET TABLESPACE pg_default, SET LOGGED, SET UNLOGGED", "table-rewrite"),
    ("CLUSTER orders USING orders_pkey", "table-rewrite"),
    ("REFRESH MATERIALIZED VIEW daily", "table-rewrite"),
    ("TRUNCATE orders", "table-emptied"),
    ("UPDATE orders SET note = 'y'", "backfill"),
    ("DELETE FROM orders WHERE note <> 'x'", "backfill"),
    ("ALTER TABLE orders ADD EXCLUDE (customer WITH =)", "blocking-index"),
    ("ALTER TABLE orders ADD COLUMN u int UNIQUE", "blocking-index"),
    ("ALTER TABLE orders ALTER COLUMN sure DROP NOT NULL", "not-null-dropped"),
    ("ALTER TABLE orders ADD COLUMN wanted int NOT NULL", "required-column"),
    (
      "ALTER TABLE orders ADD FOREIGN KEY (customer) REFERENCES customers", "scan-under-lock"
    ),
    ("ALTER TABLE parts ATTACH PARTITION alone FOR VALUES FROM (10) TO (20)", "scan-under-lock"),
    ("ALTER DOMAIN small ADD CHECK (VALUE < 100)", "scan-under-lock"),
    ("ALTER TABLE parts DETACH PARTITION parts_1", "blocks-reads"),
    ("DROP INDEX orders_total", "blocks-reads"),
    ("LOCK TABLE orders", "blocks-reads"),
    ("CREATE POLICY p ON orders USING (true)", "blocks-reads"),
    ("CREATE RULE r AS ON DELETE TO orders DO INSTEAD NOTHING", "blocks-reads"),
    ("ALTER TABLE orders ADD COLUMN j json", "column-type"),
    ("CREATE TABLE fresh (id serial PRIMARY KEY)", "column-type"),
    ("CREATE TABLE fresh (code char(3))", "column-type"),
    ("CREATE TABLE fresh (name varchar(10))", "column-type"),
    ("CREATE TABLE fresh (at timestamp)", "column-type"),
    ("REINDEX INDEX orders_total", "index-rebuild"),
    ("VACUUM FULL orders", "table-rewrite"),
  ])
  func eachCostIsMeasured(_ sql: String, _ name: String) throws {
    let fixture = try Fixture()
    try fixture.database.psql(Self.base)
    let isAlone = sql.hasPrefix("VACUUM")
    let files = try Fixture.files(named: [
      "1_a.up.sql":
        "-- pgkeep: irreversible a test\n" + (isAlone ? "-- pgkeep: no-transaction\n" : "") + sql
        + ";"
    ])
    let report = try Rehearsal(fixture.migrator()).run(files)
    let found = report.findings.first { $0.name.rawValue == name }
    #expect(found != nil, "\(report.findings)")
    #expect(found?.line == (isAlone ? 3 : 2))
    if sql.contains("TABLE orders"), !sql.contains("FOREIGN KEY"), name != "column-type" {
      #expect(found?.message.contains("public.orders (") == true, "\(report.findings)")
    }
    #expect(report.isProven)
  }

  /// What makes nobody wait is not complained about.
  @Test(arguments: [
    "CREATE TABLE fresh (id bigint PRIMARY KEY, at timestamptz, note text)",
    "CREATE INDEX CONCURRENTLY more ON orders (customer)",
    "DROP INDEX CONCURRENTLY orders_total", "REINDEX TABLE CONCURRENTLY orders",
    "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "COMMENT ON TABLE orders IS 'x'", "INSERT INTO orders VALUES (0)",
    "UPDATE orders SET note = 'y' WHERE id = 5", "ANALYZE orders",
    "CREATE STATISTICS st ON customer, total FROM orders",
  ])
  func whatIsHarmlessIsNoFinding(_ sql: String) throws {
    let fixture = try Fixture()
    try fixture.database.psql(Self.base)
    let isAlone = sql.contains("CONCURRENTLY")
    let files = try Fixture.files(named: [
      "1_a.up.sql":
        "-- pgkeep: irreversible a test\n" + (isAlone ? "-- pgkeep: no-transaction\n" : "") + sql
        + ";"
    ])
    let report = try Rehearsal(fixture.migrator()).run(files)
    #expect(report.findings.isEmpty, "\(report.findings)")
  }

  @Test func whatIsOverAtOnceIsOnlyANote() throws {
    let fixture = try Fixture()
    try fixture.database.psql("CREATE TABLE few (i int); INSERT INTO few VALUES (1)")
    let up = "ALTER TABLE few ALTER COLUMN i TYPE bigint;"
    let down = "ALTER TABLE few ALTER COLUMN i TYPE int;"
    let known = try report(fixture, ["1_a": (up, down)]).findings
    #expect(known.map(\.name) == [.tableRewrite])
    #expect(known.first?.isNote == true)
    // Somewhere else the table may be large.
    let sizes = [TableSize(name: "public.few", rows: 90_000_000, bytes: 41 << 30)]
    let other = try Rehearsal(fixture.migrator(), sizes: sizes)
      .run(Fixture.files(["1_a": (up, down)])).findings
    #expect(other.first?.isNote == false)
    #expect(
      other.first?.message.contains("public.few (41 GB, 90 M rows) while") == true, "\(other)")
  }

  @Test func theSchemaFileIsABeginningToo() throws {
    let fixture = try Fixture()
    let two = try Fixture.files(MigratorTests.two)
    try fixture.migrator().up(two)
    let folder = try TestDirectory()
    let path = folder.file("schema.sql")
    try SchemaFile.write(SchemaFile.text(ConnectionTarget(fixture.database.url)), to: path)
    let empty = try Fixture()
    let scratch = try ConnectionTarget(empty.database.url)
    let more = try Fixture.files([
      "1_a": MigratorTests.two[0].value, "2_b": MigratorTests.two[1].value,
      "3_c": ("ALTER TABLE a ADD COLUMN more int;", "ALTER TABLE a DROP COLUMN more;"),
    ])
    // Nothing but the scratch database is there: CI.
    let report = try Rehearsal(empty.migrator(), scratch: scratch).run(
      more, from: .schemaFile(path: path))
    #expect(report.steps == ["3_c"])
    #expect(report.isProven)
    #expect(try empty.tables().isEmpty)
  }

  @Test func everythingIsTriedFromNothing() throws {
    let fixture = try Fixture()
    let files = try Fixture.files(MigratorTests.two)
    try fixture.migrator().up(files)
    #expect(try Rehearsal(fixture.migrator()).run(files).steps.isEmpty)
    #expect(
      try Rehearsal(fixture.migrator()).run(files, from: .migrations).steps == ["1_a", "2_b"])
  }

  @Test func aScratchDatabaseThatIsGivenHasToBeEmptyAndIsEmptiedAgain() throws {
    let fixture = try Fixture()
    let scratch = try fixture.database.cluster.createDatabase(named: "scratch")
    let place = try ConnectionTarget(scratch.url)
    let files = try Fixture.files(MigratorTests.two)
    _ = try Rehearsal(fixture.migrator(), scratch: place).run(files)
    #expect(try scratch.psql("SELECT to_regclass('a') IS NULL") == "t")
    _ = try Rehearsal(fixture.migrator(), scratch: place).run(files)
    try scratch.psql("CREATE TABLE mine (i int)")
    #expect(
      try failure { _ = try Rehearsal(fixture.migrator(), scratch: place).run(files) }.code
        == .notAllowed)
    #expect(try scratch.psql("SELECT count(*) FROM mine") == "0")
  }

  @Test func anUpThatFailsIsAnErrorWithItsPlace() throws {
    let fixture = try Fixture()
    let files = try Fixture.files(["1_a": ("SELECT 1;\nSELECT x;", "SELECT 1;")])
    let error = try failure { _ = try Rehearsal(fixture.migrator()).run(files) }
    #expect(error.failure?.line == 2)
  }

  @Test func theSchemaFileIsTheSameEachTimeAndChecked() throws {
    let fixture = try Fixture()
    try fixture.database.psql(Self.base)
    let target = try ConnectionTarget(fixture.database.url)
    let folder = try TestDirectory()
    let path = folder.file("schema.sql")
    let text = try SchemaFile.text(target)
    try SchemaFile.write(text, to: path)
    #expect(try SchemaFile.text(target) == text)
    try SchemaFile.check(text, against: path)
    let copy = try fixture.database.cluster.createDatabase(named: "copy")
    try copy.psql(text.string)
    #expect(try SchemaFile.text(ConnectionTarget(copy.url)) == text)
    try fixture.database.psql("ALTER TABLE orders ADD COLUMN extra text")
    let error = try failure { try SchemaFile.check(SchemaFile.text(target), against: path) }
    #expect(error.code == .drift)
  }
}
