import Foundation
import Migrations
import Postgres
import TestSupport
import Testing

/// `up --keep-dropped`, and the `down` that brings rows back.
@Suite struct KeepDroppedTests {
  private func fixture(_ major: Int = 15) throws -> Fixture {
    let fixture = try Fixture(major)
    try fixture.database.psql(
      """
      CREATE TYPE mood AS ENUM ('sad', 'ok');
      CREATE TABLE orders (id int, part int, note text, mood mood, price numeric(10,2),
        at timestamptz DEFAULT now(), raw bytea, doubled int GENERATED ALWAYS AS (id * 2) STORED,
        PRIMARY KEY (id, part));
      INSERT INTO orders SELECT i, 1, CASE WHEN i % 3 = 0 THEN NULL ELSE 'note "' || i END,
        'ok', i / 7.0, now(), decode('00ff5c', 'hex') FROM generate_series(1, 1000) i;
      CREATE TABLE lines (id serial PRIMARY KEY, "Order" int, part int, tags text[],
        FOREIGN KEY ("Order", part) REFERENCES orders);
      INSERT INTO lines ("Order", part, tags) SELECT id, part, ARRAY['a', 'b,"c"', NULL] FROM orders;
      """)
    return fixture
  }

  private func rows(_ fixture: Fixture) throws -> String {
    try fixture.database.psql(
      "SELECT o.id, note, mood, price, at, raw, doubled FROM orders o ORDER BY id; "
        + "SELECT id, \"Order\", part, tags FROM lines ORDER BY id")
  }

  private func check(_ fixture: Fixture, _ up: String, _ down: String) throws {
    let before = try rows(fixture)
    let files = try Fixture.files(["1_a": (up, down)])
    try fixture.migrator { $0.keepsDropped = true }.up(files)
    #expect(throws: (any Error).self) { try rows(fixture) }
    try fixture.migrator().down(.steps(1))
    #expect(try rows(fixture) == before)
    #expect(
      try fixture.database.psql(
        "SELECT count(*) FROM pg_class WHERE relname LIKE 'dropped_%' AND relname !~ 'data'") == "0"
    )
    #expect(
      try fixture.database.psql(
        "SELECT count(*) FROM pgkeep.dropped_data WHERE put_back_at IS NULL") == "0")
  }

  @Test(arguments: [15, 18])
  func columnsComeBackWithTheirValues(_ major: Int) throws {
    try check(
      fixture(major),
      "ALTER TABLE orders DROP COLUMN note, DROP COLUMN price; ALTER TABLE orders DROP COLUMN raw;",
      """
      ALTER TABLE orders ADD COLUMN note text, ADD COLUMN price numeric(10,2), ADD COLUMN raw bytea;
      ALTER TABLE orders ALTER COLUMN price SET NOT NULL;
      """)
  }

  @Test(arguments: [15, 18])
  func tablesComeBackWithTheirRowsAlsoThoseThatGoByCascade(_ major: Int) throws {
    let fixture = try fixture(major)
    try check(
      fixture, "DROP TABLE orders, lines; DROP TYPE mood CASCADE;",
      """
      CREATE TYPE mood AS ENUM ('sad', 'ok');
      CREATE TABLE orders (id int, part int, note text, mood mood, price numeric(10,2),
        at timestamptz DEFAULT now(), raw bytea, doubled int GENERATED ALWAYS AS (id * 2) STORED,
        PRIMARY KEY (id, part));
      CREATE TABLE lines (id serial PRIMARY KEY, "Order" int, part int, tags text[],
        FOREIGN KEY ("Order", part) REFERENCES orders);
      """)
    // New rows get numbers behind those that came back.
    #expect(
      try fixture.database.psql("INSERT INTO lines (tags) VALUES (NULL) RETURNING id")
        .hasPrefix("1001"))
  }

  @Test func whatGoesWithoutATransactionIsKeptToo() throws {
    try check(
      fixture(), "-- pgkeep: no-transaction\nSELECT 1;\nALTER TABLE orders DROP COLUMN note;",
      "-- pgkeep: no-transaction\nALTER TABLE orders ADD COLUMN note text;")
  }

  @Test func aBlockThatDropsIsSeenThrough() throws {
    try check(
      fixture(), "DO $$ BEGIN EXECUTE 'ALTER TABLE orders DROP COLUMN note'; END $$;",
      "ALTER TABLE orders ADD COLUMN note text;")
  }

  @Test func aPartitionedTableComesBackAsAWhole() throws {
    let fixture = try Fixture()
    let made = """
      CREATE TABLE p (i int, t text) PARTITION BY RANGE (i);
      CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10);
      CREATE TABLE p2 PARTITION OF p DEFAULT;
      """
    try fixture.database.psql(
      made + "INSERT INTO p SELECT i, 'x' || i FROM generate_series(1, 30) i")
    let before = try fixture.database.psql("SELECT tableoid::regclass, * FROM p ORDER BY i")
    let files = try Fixture.files(["1_a": ("DROP TABLE p;", made)])
    try fixture.migrator { $0.keepsDropped = true }.up(files)
    try fixture.migrator().down(.steps(1))
    #expect(
      try fixture.database.psql("SELECT tableoid::regclass, * FROM p ORDER BY i") == before)
  }

  @Test func whatCannotBeKeptIsNotDropped() throws {
    let fixture = try fixture()
    let drop = try Fixture.files(["1_a": ("DROP TABLE lines;", "SELECT 1;")])
    let large = try failure {
      try fixture.migrator {
        $0.keepsDropped = true
        $0.keepLimit = 10_000
      }.up(drop)
    }
    #expect(large.code == .dataLoss)
    #expect(large.message.contains("table public.lines"), "\(large.message)")
    try fixture.database.psql("CREATE TABLE bare (i int, j int); INSERT INTO bare VALUES (1, 2)")
    let keyless = try Fixture.files(["1_a": ("ALTER TABLE bare DROP COLUMN j;", "SELECT 1;")])
    let error = try failure { try fixture.migrator { $0.keepsDropped = true }.up(keyless) }
    #expect(error.code == .dataLoss)
    #expect(error.message.contains("no primary or unique key"))
    #expect(try fixture.tables() == ["bare", "lines", "orders"])
    #expect(try fixture.database.psql("SELECT count(*) FROM pgkeep.dropped_data") == "0")
  }

  @Test func aDownThatMakesNoPlaceForItSaysWhereItIs() throws {
    let fixture = try fixture()
    let files = try Fixture.files(["1_a": ("ALTER TABLE orders DROP COLUMN note;", "SELECT 1;")])
    try fixture.migrator { $0.keepsDropped = true }.up(files)
    try fixture.migrator().down(.steps(1))
    #expect(fixture.events.all.contains { $0.contains("stays in pgkeep.dropped_") })
    #expect(
      try fixture.database.psql(
        "SELECT count(note) FROM pgkeep.dropped_\(keptRow(fixture))_1") == "667")
  }

  private func keptRow(_ fixture: Fixture) throws -> String {
    try fixture.database.psql("SELECT history_id FROM pgkeep.dropped_data")
  }

  @Test func aMissingBackupRefusesADropAndNothingElse() throws {
    let fixture = try fixture()
    let refuse: (inout MigratorOptions) -> Void = { $0.backupRefusal = { "there is none." } }
    let harmless = try Fixture.files([
      "1_a": ("CREATE TABLE x (i int); DROP INDEX IF EXISTS nothing;", "DROP TABLE x;")
    ])
    try fixture.migrator(refuse).up(harmless)
    for (number, sql) in ["DROP TABLE lines;", "TRUNCATE lines;"].enumerated() {
      let files = try Fixture.files([
        "1_a": ("CREATE TABLE x (i int); DROP INDEX IF EXISTS nothing;", "DROP TABLE x;"),
        "\(number + 2)_b": (sql, "SELECT 1;"),
      ])
      let error = try failure { try fixture.migrator(refuse).up(files) }
      #expect(error.code == .dataLoss)
      #expect(error.message.contains("there is none."))
      #expect(try fixture.database.psql("SELECT count(*) FROM lines") == "1000")
    }
    // A copy will do instead.
    let files = try Fixture.files([
      "1_a": ("CREATE TABLE x (i int); DROP INDEX IF EXISTS nothing;", "DROP TABLE x;"),
      "2_b": ("DROP TABLE lines;", "SELECT 1;"),
    ])
    try fixture.migrator {
      refuse(&$0)
      $0.keepsDropped = true
    }.up(files)
  }
}
