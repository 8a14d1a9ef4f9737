import ByteStream
import Foundation
import Migrations
import Postgres
import Schema
import TestSupport
import Testing

/// What was changed by hand, told from what migrations left.
@Suite struct SchemaDriftTests {
  private static let files: KeyValuePairs<String, (String, String)> = [
    "1_a": (
      "CREATE TABLE orders (id int PRIMARY KEY, note text NOT NULL); "
        + "CREATE TYPE mood AS ENUM ('sad', 'ok');", "DROP TABLE orders; DROP TYPE mood;"
    ),
    "2_b": (
      "CREATE VIEW v AS SELECT id FROM orders; CREATE INDEX orders_note ON orders (note);",
      "DROP VIEW v; DROP INDEX orders_note;"
    ),
  ]

  @Test(arguments: [15, 18])
  func anUntouchedDatabaseIsWhatTheLastMigrationLeft(_ major: Int) throws {
    let fixture = try Fixture(major)
    #expect(try fixture.migrator().drift().unknownBecause != nil)
    try fixture.migrator().up(Fixture.files(Self.files))
    let drift = try fixture.migrator().drift()
    #expect(drift.unknownBecause == nil)
    #expect(!drift.isFound)
    #expect(drift.since?.title == "2_b")
    // Rows are no part of the schema.
    try fixture.database.psql("INSERT INTO orders VALUES (1, 'x'); ANALYZE; VACUUM")
    #expect(try !fixture.migrator().drift().isFound)
    try fixture.migrator().down(.steps(1))
    #expect(try !fixture.migrator().drift().isFound)
  }

  @Test func eachRecordTellsWhatItsMigrationChanged() throws {
    let fixture = try Fixture()
    try fixture.migrator().up(Fixture.files(Self.files))
    let lines = try fixture.database.psql(
      """
      SELECT h.version, d->>'change', d->>'what', r.fingerprint_before <> r.fingerprint_after
      FROM pgkeep.schema_record r JOIN pgkeep.migration_history h ON h.id = r.history_id
      CROSS JOIN jsonb_array_elements(r.difference) d
      WHERE d->>'what' NOT LIKE '%constraint%' ORDER BY r.id, 3
      """
    ).split(separator: "\n")
    #expect(
      lines == [
        "1|added|table public.orders|t", "1|added|type public.mood|t",
        "2|added|index public.orders_note|t", "2|added|view public.v|t",
      ])
    #expect(
      try fixture.database.psql(
        """
        SELECT a.fingerprint_after = b.fingerprint_before FROM pgkeep.schema_record a, \
        pgkeep.schema_record b WHERE a.id = 1 AND b.id = 2
        """) == "t")
    // And the locks of each statement, with the time.
    #expect(
      try fixture.database.psql(
        """
        SELECT l->>'mode' FROM pgkeep.migration_history h, \
        jsonb_array_elements(h.details->'statements') s, jsonb_array_elements(s->'locks') l \
        WHERE version = '2' AND l->>'relation' = 'public.orders' ORDER BY 1
        """) == "ACCESS SHARE\nSHARE")
  }

  private static let byHand = """
    CREATE INDEX orders_tmp ON orders (id, note);
    ALTER TABLE orders ADD COLUMN extra int DEFAULT 5;
    ALTER TABLE orders ALTER COLUMN note TYPE varchar(20), ALTER COLUMN note DROP NOT NULL;
    ALTER TABLE orders ADD CONSTRAINT positive CHECK (id > 0);
    ALTER TYPE mood ADD VALUE 'happy' AFTER 'sad';
    CREATE FUNCTION f(a int) RETURNS int LANGUAGE sql AS 'SELECT 1';
    CREATE TABLE "My Table" (id int PRIMARY KEY REFERENCES orders);
    CREATE TRIGGER t BEFORE INSERT ON orders FOR EACH ROW
      EXECUTE FUNCTION suppress_redundant_updates_trigger();
    CREATE POLICY p ON orders USING (true);
    GRANT SELECT ON orders TO PUBLIC;
    COMMENT ON TABLE orders IS 'by hand';
    CREATE SEQUENCE s;
    """

  @Test func whatWasDoneByHandIsToldInWordsAndInSQL() throws {
    let fixture = try Fixture()
    try fixture.migrator().up(Fixture.files(Self.files))
    // A view stands in the way of a change of the column's type.
    try fixture.database.psql("DROP INDEX orders_note; DROP VIEW v;" + Self.byHand)
    let drift = try fixture.migrator().drift()
    let words = drift.words
    for expected in [
      "index public.orders_tmp was created by hand", "index public.orders_note was removed by hand",
      "view public.v was removed by hand",
      "column public.orders.extra: extra integer DEFAULT 5 was created by hand",
      "column public.orders.note: note text NOT NULL was removed by hand",
      "column public.orders.note: note character varying(20) was created by hand",
      "type public.mood: 'happy' was created by hand",
      "function public.f(a integer) was created by hand",
      "table public.My Table was created by hand",
      "table public.orders: COMMENT ON TABLE public.orders IS 'by hand'; was created by hand",
    ] { #expect(words.contains(expected), "\(expected) is not in \(words)") }

    // The statements make of a database without the changes one with them.
    let made = try #require(drift.made)
    let other = try Fixture()
    try other.migrator().up(Fixture.files(Self.files))
    try other.database.psql(made.text.string)
    #expect(made.byHand.isEmpty, "\(made.byHand)")
    #expect(try Self.plain(other.database) == Self.plain(fixture.database))

    // And back, apart from the enum's label.
    let undo = try #require(drift.undo)
    #expect(undo.byHand.count == 1, "\(undo.byHand)")
    try fixture.database.psql(undo.text.string)
    #expect(
      try fixture.migrator().drift().words == ["type public.mood: 'happy' was created by hand"])
  }

  /// The schema, comparable between databases.
  private static func plain(_ database: TemporaryDatabase) throws -> String {
    try SchemaFile.text(ConnectionTarget(database.url)).string
  }

  @Test func verifyAndTheNextRunSayThatTheDatabaseDiffers() throws {
    let fixture = try Fixture()
    let files = try Fixture.files(Self.files)
    try fixture.migrator().up(files)
    #expect(try fixture.migrator().verify(files).isClean)
    try fixture.database.psql("CREATE INDEX orders_tmp ON orders (id)")
    let findings = try fixture.migrator().verify(files).findings
    #expect(findings.map(\.kind) == [.databaseDiffers])
    #expect(findings.first?.title == "index public.orders_tmp was created by hand")
    let more = try Fixture.files([
      "1_a": Self.files[0].value, "2_b": Self.files[1].value, "3_c": ("SELECT 1;", "SELECT 1;"),
    ])
    try fixture.migrator().up(more)
    #expect(
      fixture.events.all.contains {
        $0.hasPrefix("warning") && $0.contains("index public.orders_tmp was created by hand")
      })
    // That run has recorded the schema anew.
    #expect(try !fixture.migrator().drift().isFound)
  }

  @Test func aPersonCanAcceptIt() throws {
    let fixture = try Fixture()
    try fixture.migrator().up(Fixture.files(Self.files))
    try fixture.database.psql("DROP VIEW v")
    #expect(try fixture.migrator().drift().isFound)
    try fixture.migrator().acceptDrift()
    #expect(try !fixture.migrator().drift().isFound)
  }

  @Test func aLongRunIsRecordedAsAWhole() throws {
    let fixture = try Fixture()
    let files = try MigrationFiles(
      files: (1...12).flatMap { number in
        [
          ("\(number)_t.up.sql", Array("CREATE TABLE t\(number) (i int);".utf8)),
          ("\(number)_t.down.sql", Array("DROP TABLE t\(number);".utf8)),
        ]
      })
    try fixture.migrator().up(files)
    #expect(
      try fixture.database.psql(
        "SELECT count(*), min(jsonb_array_length(difference)) FROM pgkeep.schema_record")
        == "1|12")
    #expect(try !fixture.migrator().drift().isFound)
    // One that fails leaves what the ones before it did.
    let broken = try Fixture.files([
      "13_a": ("CREATE TABLE u (i int);", "SELECT 1;"), "14_b": ("SELECT x;", "SELECT 1;"),
    ])
    _ = try failure { try fixture.migrator().up(broken) }
    #expect(try !fixture.migrator().drift().isFound)
  }

  @Test func whatNobodyRecordedIsNotGuessed() throws {
    let fixture = try Fixture()
    try fixture.migrator().up(Fixture.files(Self.files))
    try fixture.migrator { $0.recordsSchema = false }.down(.steps(1))
    let drift = try fixture.migrator().drift()
    #expect(!drift.isFound)
    #expect(drift.unknownBecause?.contains("2_b") == true)
  }

  @Test func aBaselineIsComparedWithToo() throws {
    let fixture = try Fixture()
    try fixture.database.psql("CREATE TABLE orders (id int)")
    let files = try Fixture.files(["1_a": ("SELECT 1;", "SELECT 1;")])
    try fixture.migrator().baseline(files, at: version("1"))
    #expect(try fixture.migrator().drift().unknownBecause == nil)
    try fixture.database.psql("DROP TABLE orders")
    #expect(
      try fixture.migrator().drift().words == ["table public.orders was removed by hand"])
  }
}
