import ByteStream
import Postgres
import Schema
import TestSupport
import Testing

@Suite struct SchemaFilterTests {
  private static func names(
    _ filter: SchemaFilter, _ check: (SchemaCatalog, SchemaScript) throws -> Void
  ) throws {
    let database = try TemporaryCluster.shared(15).createDatabase()
    defer { try? database.drop() }
    try database.psql(
      """
      CREATE SCHEMA app; CREATE SCHEMA other; CREATE TYPE app.mood AS ENUM ('a');
      CREATE TABLE app.users (id serial PRIMARY KEY, m app.mood);
      CREATE TABLE app.orders (id int PRIMARY KEY, u int REFERENCES app.users);
      CREATE TABLE app."Or.ders" (id int);
      CREATE TABLE other.log (t text); CREATE INDEX log_t ON other.log (t);
      CREATE TABLE loose (a int); CREATE VIEW other.v AS SELECT 1;
      CREATE FUNCTION other.f() RETURNS int LANGUAGE sql AS 'SELECT 1';
      """)
    let connection = try Connection(
      ConnectionTarget(database.url), ConnectionOptions(applicationName: "pgkeep test"),
      cancellation: Cancellation())
    defer { connection.close() }
    let catalog = try SchemaReader(connection, cancellation: Cancellation()).read(filter)
    try check(catalog, catalog.script())
  }

  private static func tables(_ filter: SchemaFilter) throws -> [String] {
    var tables: [String] = []
    try names(filter) { catalog, _ in tables = catalog.tables.map(\.qualifiedName.string) }
    return tables
  }

  @Test func `one table comes with its sequence, index and keys, and nothing else`() throws {
    try Self.names(SchemaFilter(tables: ["app.users"])) { catalog, script in
      #expect(catalog.tables.map(\.name) == ["users"])
      #expect(catalog.sequences.map(\.name) == ["users_id_seq"])
      #expect(script.preData.map(\.kind) == [.schema, .sequence, .table, .sequenceOwner])
      #expect(script.postData.map(\.name) == ["users users_pkey"])
    }
  }

  @Test func `a schema comes with all that lies in it`() throws {
    try Self.names(SchemaFilter(schemas: ["oth*"])) { catalog, script in
      #expect(catalog.tables.map(\.name) == ["log"])
      #expect(script.preData.map(\.kind) == [.schema, .function, .table, .view])
      #expect(script.postData.map(\.kind) == [.index])
    }
  }

  @Test func `tables and schemas are left out`() throws {
    let tables = try Self.tables(
      SchemaFilter(excludedTables: ["app.o*", "public.nothing"], excludedSchemas: ["other"]))
    #expect(tables == ["app.\"Or.ders\"", "app.users", "public.loose"])
  }

  @Test func `rows are left out, the table stays`() throws {
    try Self.names(SchemaFilter(excludedTableData: ["other.log"])) { catalog, script in
      #expect(!catalog.tables.contains { $0.name == "log" })
      #expect(script.preData.contains { $0.name == "log" && $0.kind == .table })
    }
  }

  @Test(arguments: [
    ("loose", ["public.loose"]),
    ("*.l*", ["other.log", "public.loose"]),
    ("app.\"Or.ders\"", ["app.\"Or.ders\""]),
    ("APP.USER?", ["app.users"]),
    ("app.\"user?\"", []), ("log", []), ("nothing", []),
    ("a.b.c", []), ("\"open", []),
  ])
  func `patterns find what psql would`(pattern: String, expected: [String]) throws {
    if expected.isEmpty {
      #expect(throws: SchemaError.self) { try Self.tables(SchemaFilter(tables: [pattern])) }
    } else {
      #expect(try Self.tables(SchemaFilter(tables: [pattern])) == expected)
    }
  }
}
