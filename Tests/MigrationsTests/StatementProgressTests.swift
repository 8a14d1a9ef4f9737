import Foundation
import Migrations
import TestSupport
import Testing

/// What people see while a statement takes long.
@Suite struct StatementProgressTests {
  /// Each row takes two milliseconds to look at.
  private func fixture() throws -> Fixture {
    let fixture = try Fixture()
    try fixture.database.psql(
      """
      CREATE FUNCTION slow(i int) RETURNS boolean IMMUTABLE LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_sleep(0.002); RETURN true; END $$;
      CREATE TABLE orders (i int);
      INSERT INTO orders SELECT generate_series(1, 1000);
      CREATE TABLE wide (i int, t text);
      INSERT INTO wide SELECT i, repeat('x', 1000) FROM generate_series(1, 100) i;
      CREATE INDEX wide_i ON wide (i);
      """)
    return fixture
  }

  @Test(arguments: [
    ("CREATE INDEX orders_slow ON orders (slow(i));", "CREATE INDEX: building index"),
    (
      "ALTER TABLE orders ADD CONSTRAINT c CHECK (slow(i)) NOT VALID; "
        + "ALTER TABLE orders VALIDATE CONSTRAINT c;",
      "ALTER TABLE orders VALIDATE CONSTRAINT c on public.orders ("
    ),
    (
      "CREATE INDEX wide_slow ON wide (slow(i)) WHERE i < 0; "
        + "INSERT INTO orders SELECT 1 FROM generate_series(1, 600) i WHERE slow(i);",
      "INSERT INTO orders"
    ),
  ])
  func whatTakesLongSaysWhatItIsAt(_ sql: String, _ expected: String) throws {
    let fixture = try fixture()
    try fixture.migrator().up(Fixture.files(["1_a": (sql, "SELECT 1;")]))
    #expect(
      fixture.events.all.contains { $0.hasPrefix("progress \(expected)") }, "\(fixture.events.all)")
  }

  @Test func clusterTellsItsPhase() throws {
    let fixture = try fixture()
    try fixture.database.psql(
      """
      ALTER TABLE orders ADD COLUMN t text; UPDATE orders SET t = 'x';
      CREATE INDEX orders_i ON orders (i);
      SET check_function_bodies = off;
      CREATE INDEX orders_slow ON orders (slow(i));
      """)
    try fixture.migrator().up(
      Fixture.files(["1_a": ("CLUSTER orders USING orders_i;", "SELECT 1;")]))
    #expect(
      fixture.events.all.contains {
        $0.hasPrefix("progress CLUSTER: ") || $0.hasPrefix("progress CREATE INDEX")
          || $0.hasPrefix("progress REINDEX")
      }, "\(fixture.events.all)")
  }
}
