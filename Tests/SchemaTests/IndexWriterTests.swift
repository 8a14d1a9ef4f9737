import ByteStream
import Postgres
import TestSupport
import Testing

@testable import Schema

/// The server is asked for the definitions of few indexes and constraints; the others' text must be
/// what it would have said.
@Suite struct IndexWriterTests {
  @Test(arguments: [15, 18], ["application", "kinds", "names", "indexes"])
  func `definitions are the server's words`(major: Int, name: String) throws {
    try check(major, Fidelity.sql(name))
  }

  @Test(arguments: [15, 18])
  func `definitions in random schemas are the server's words`(major: Int) throws {
    let seed = RandomSchemaTests.seed
    let sql = (0..<20).map { RandomSchema.sql(seed: seed &+ UInt64($0), name: "s\($0)") }.joined()
    try check(major, "\\set ON_ERROR_STOP off\n" + sql, "PGKEEP_TEST_SEED=\(seed)")
  }

  @Test(arguments: [15, 18])
  func `definitions of keys are the server's words`(major: Int) throws {
    let overlaps =
      """
      CREATE EXTENSION btree_gist;
      CREATE TABLE periods (a int, valid daterange, PRIMARY KEY (a, valid WITHOUT OVERLAPS));
      """
    try check(
      major,
      """
      CREATE TABLE single (id int PRIMARY KEY, "Mixed Case" text UNIQUE, "select" int,
        UNIQUE ("select", id) DEFERRABLE INITIALLY DEFERRED);
      CREATE TABLE dropped (x int, a int, y int, b int, c text, PRIMARY KEY (b, a) INCLUDE (c, y),
        UNIQUE NULLS NOT DISTINCT (a, c) INCLUDE (b), UNIQUE (c) DEFERRABLE);
      ALTER TABLE dropped DROP COLUMN x;
      CREATE TABLE options (a int, b int, PRIMARY KEY (a) WITH (fillfactor = 70),
        UNIQUE (b) WITH (fillfactor = 50) DEFERRABLE INITIALLY DEFERRED);
      CREATE TABLE parted (a int, b int, PRIMARY KEY (b, a)) PARTITION BY RANGE (a);
      CREATE TABLE part (b int NOT NULL, a int NOT NULL, CONSTRAINT own UNIQUE (a));
      ALTER TABLE parted ATTACH PARTITION part FOR VALUES FROM (0) TO (10);
      CREATE TABLE excluded (r int4range, EXCLUDE USING gist (r WITH &&));
      CREATE TABLE referring (a int, b int, FOREIGN KEY (b, a) REFERENCES dropped ON DELETE CASCADE);
      CREATE INDEX ON referring (a);
      \(major >= 18 ? overlaps : "")
      """)
  }

  private func check(_ major: Int, _ sql: String, _ comment: Comment? = nil) throws {
    let database = try TemporaryCluster.shared(major).createDatabase()
    defer { try? database.drop() }
    try database.psql("SET client_min_messages = error;\n" + sql)
    let connection = try Connection(
      ConnectionTarget(database.url), ConnectionOptions(applicationName: "pgkeep test"),
      cancellation: Cancellation())
    defer { connection.close() }
    let catalog = try SchemaReader(connection, cancellation: Cancellation()).read()
    // For a domain, the operator class is named, which says the same with more words.
    let rows = try connection.query(
      """
      SELECT i.indexrelid, pg_catalog.pg_get_indexdef(i.indexrelid),
        EXISTS (SELECT FROM pg_catalog.pg_attribute a
          JOIN pg_catalog.pg_type t ON t.oid = a.atttypid AND t.typtype = 'd'
          WHERE a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey))
      FROM pg_catalog.pg_index i
      """)
    var words: [UInt32: (text: SQLText, hasDomain: Bool)] = [:]
    for row in 0..<rows.rowCount {
      words[UInt32(rows.int(row, 0) ?? 0)] = (rows[row, 1] ?? "", rows.bool(row, 2))
    }
    var compared = 0
    for object in catalog.objects where object.kind == .index && object.identity.column == 0 {
      let (text, hasDomain) = try #require(words[object.identity.oid])
      let own = object.definition.sql(without: []).string
      #expect(hasDomain || own.contains("\(text);\n"), comment)
      compared += 1
    }
    #expect(compared > 0, comment)
    let constraints = try connection.query(
      """
      SELECT c.oid, pg_catalog.pg_get_constraintdef(c.oid) FROM pg_catalog.pg_constraint c
      JOIN pg_catalog.pg_class i ON i.oid = c.conindid AND i.reloptions IS NULL
      WHERE c.contype IN ('p', 'u')
      """)
    var definitions: [UInt32: String] = [:]
    for row in 0..<constraints.rowCount {
      definitions[UInt32(constraints.int(row, 0) ?? 0)] = constraints.string(row, 1)
    }
    for object in catalog.objects where object.identity.catalog == .constraint {
      guard let text = definitions[object.identity.oid] else { continue }
      let own = object.definition.sql(without: []).string
      #expect(own.contains(" \(text);\n"), comment)
    }
  }
}
