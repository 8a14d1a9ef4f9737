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
    CREATE TABLE orders (id int PRIMARY KEY, customer int, total int, note text, mood mood);
    CREATE TABLE customers (id int PRIMARY KEY);
    CREATE INDEX orders_total ON orders (total);
    INSERT INTO orders SELECT i, i, i, 'x' FROM generate_series(1, 50000) i;
    ANALYZE orders;
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
          "CREATE TABLE new (id int PRIMARY KEY, at timestamptz DEFAULT now()); CREATE VIEW v AS "
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
    ("DROP TABLE customers", "table-dropped"),
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
    if !["index-rebuild", "table-dropped"].contains(name), !sql.contains("FOREIGN KEY") {
      #expect(found?.message.contains("public.orders (") == true, "\(report.findings)")
    }
    #expect(report.isProven)
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
