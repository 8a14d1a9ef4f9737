import ByteStream
import Postgres
import Schema
import TestSupport
import Testing

/// Databases are read, made again from their scripts, and compared by `pg_dump`.
@Suite struct SchemaFidelityTests {
  static let majors = [15, 18]

  @Test(arguments: majors, ["application", "kinds", "names", "indexes", "lists"])
  func `a database is made again exactly`(major: Int, database: String) throws {
    let difference = try Fidelity(major).difference(Fidelity.sql(database))
    #expect(difference == [])
  }

  /// The package of 16 that tests use is of an early minor release, whose pg_dump orders rules by
  /// OID, and has few extensions: what stumbles over that is not made there.
  @Test(arguments: [
    (16, "names"), (16, "indexes"), (17, "application"), (17, "kinds"), (17, "names"),
    (17, "indexes"), (17, "lists"),
  ])
  func `a database is made again exactly on the versions between`(
    major: Int, database: String
  ) throws {
    let tolerant = "\\set ON_ERROR_STOP off\n"
    let sql = try (major == 16 ? tolerant : "") + Fidelity.sql(database)
    #expect(try Fidelity(major).difference(sql) == [])
  }

  @Test func `what came with 16 to 18 is made again exactly`() throws {
    #expect(try Fidelity(18).difference(Fidelity.sql("eighteen")) == [])
  }

  @Test(arguments: majors)
  func `objects that need each other are made again`(major: Int) throws {
    let sql = try Fidelity.sql("circles")
    #expect(try Fidelity(major).difference(sql, isOrdered: false) == [])
  }

  /// A generated column calls a function of a row that has a column of the table's.
  @Test func `a circle that nothing breaks is told`() throws {
    let database = try TemporaryCluster.shared(15).createDatabase()
    defer { try? database.drop() }
    try database.psql(
      """
      CREATE TABLE holder (a integer);
      CREATE TYPE around AS (x integer);
      CREATE FUNCTION given(a around) RETURNS integer IMMUTABLE LANGUAGE sql AS 'SELECT 3';
      ALTER TABLE holder ADD b integer GENERATED ALWAYS AS (given(NULL::around)) STORED;
      ALTER TYPE around ADD ATTRIBUTE h holder;
      CREATE TABLE other (a integer);
      """)
    let circles = try Fidelity.catalog(database.url).script().circles
    #expect(
      circles.map { $0.map(\.string).sorted() } == [
        ["FUNCTION public.given(a public.around)", "TABLE public.holder", "TYPE public.around"]
      ])
  }

  @Test(arguments: majors)
  func `subscriptions are made again, not connected`(major: Int) throws {
    let fidelity = try Fidelity(major)
    let database = try fidelity.cluster.createDatabase()
    defer { try? database.drop() }
    try database.psql(
      """
      SET client_min_messages = error;
      CREATE SUBSCRIPTION some_sub CONNECTION 'dbname=nowhere password=''it\\''s''' PUBLICATION
        a, "B" WITH (connect = false, slot_name = none, binary = true, streaming = true);
      """)
    defer { _ = try? database.psql("DROP SUBSCRIPTION some_sub") }
    let text = try Fidelity.catalog(database.url).script().text.string
    #expect(text.contains("CREATE SUBSCRIPTION some_sub CONNECTION E'dbname=nowhere"))
    #expect(text.contains("PUBLICATION a, \"B\" WITH (connect = false, slot_name = NONE"))
    #expect(text.contains("binary = true"))
  }

  @Test func `several connections read the same as one`() throws {
    let database = try TemporaryCluster.shared(15).createDatabase()
    defer { try? database.drop() }
    try database.psql("SET client_min_messages = error;\n" + Fidelity.sql("application"))
    let connections = try (0..<3).map { _ in
      try Connection(
        ConnectionTarget(database.url), ConnectionOptions(applicationName: "pgkeep test"),
        cancellation: Cancellation())
    }
    defer { for connection in connections { connection.close() } }
    let shared = try SchemaReader(connections[0], cancellation: Cancellation())
      .read(with: Array(connections.dropFirst()))
    #expect(try shared.script().text == Fidelity.catalog(database.url).script().text)
    #expect(shared.unsupported == [])
  }

  @Test(arguments: ["LATIN1", "SQL_ASCII"])
  func `names that are not UTF-8 keep their bytes`(encoding: String) throws {
    let cluster = try TemporaryCluster.shared(15)
    let first = try cluster.createDatabase(encoding: encoding)
    let second = try cluster.createDatabase(encoding: encoding)
    defer {
      try? first.drop()
      try? second.drop()
    }
    var sql = SQLText("CREATE TYPE public.m AS ENUM ('x'); CREATE TABLE public.\"t")
    sql.bytes += [0xE9, 0xFF]
    sql += "\" (a text DEFAULT '"
    sql.bytes += [0xE4]
    sql += "'); CREATE FUNCTION public.f() RETURNS text LANGUAGE sql AS $$ SELECT '"
    sql.bytes += [0xFF]
    sql += "' $$"
    try Self.connection(first).run(sql)
    let catalog = try Fidelity.catalog(first.url)
    #expect(catalog.tables.map(\.name.bytes) == [Array("t".utf8) + [0xE9, 0xFF]])
    try Self.connection(second).run(catalog.script().text)
    #expect(try Fidelity.catalog(second.url).script().text == catalog.script().text)
  }

  /// One whose text moves in the database's own encoding.
  private static func connection(_ database: TemporaryDatabase) throws -> Connection {
    try Connection(
      ConnectionTarget(database.url), ConnectionOptions(applicationName: "pgkeep test"),
      cancellation: Cancellation())
  }
}
