import ByteStream
import Postgres
import TestSupport
import Testing

@testable import Schema

/// The count of what the catalogs hold must notice whatever a renderer leaves out.
@Suite struct InventoryTests {
  @Test func `each kind that is not read is missed`() throws {
    let database = try Self.database()
    defer {
      _ = try? database.psql("DROP SUBSCRIPTION inventory_sub")
      try? database.drop()
    }
    let connection = try Self.connection(database)
    defer { connection.close() }
    let whole = try SchemaReader(connection, cancellation: Cancellation()).read()
    #expect(whole.unsupported == [])
    // Grants on what the server brought are no rows of their own that could be counted.
    for left in KindReader.all where left.name != "changed privileges" {
      let readers = KindReader.all.filter { $0.name != left.name }
      let catalog = try SchemaReader(connection, cancellation: Cancellation(), readers: readers)
        .read()
      #expect(!catalog.unsupported.isEmpty, "\(left.name)")
    }
  }

  @Test func `what is missing is named`() throws {
    let database = try TemporaryCluster.shared(15).createDatabase()
    defer { try? database.drop() }
    try database.psql("CREATE TABLE t (a int); CREATE RULE r AS ON DELETE TO t DO INSTEAD NOTHING")
    let connection = try Self.connection(database)
    defer { connection.close() }
    let reader = SchemaReader(
      connection, cancellation: Cancellation(),
      readers: KindReader.all.filter {
        ["schemas", "type aliases", "relations"].contains($0.name)
      })
    let unsupported = try reader.read().unsupported
    #expect(unsupported == [UnsupportedObject(what: "rule", name: "r on public.t")])
  }

  @Test func `what the role may not see is refused, not left out`() throws {
    let cluster = try TemporaryCluster.shared(15)
    let database = try cluster.createDatabase()
    let role = TemporaryCluster.uniqueName("plain")
    try database.psql(
      """
      CREATE ROLE \(role) LOGIN;
      CREATE FOREIGN DATA WRAPPER hidden_fdw;
      CREATE SERVER hidden_server FOREIGN DATA WRAPPER hidden_fdw;
      CREATE USER MAPPING FOR postgres SERVER hidden_server OPTIONS (password 'x');
      """)
    defer {
      try? database.drop()
      _ = try? cluster.psql("DROP ROLE \(role)")
    }
    let named = try Fidelity.catalog(database.url(user: role)).unsupported.map(\.name)
    #expect(named == ["for postgres on hidden_server"])
    #expect(try Fidelity.catalog(database.url).unsupported == [])
  }

  private static func connection(_ database: TemporaryDatabase) throws -> Connection {
    try Connection(
      ConnectionTarget(database.url), ConnectionOptions(applicationName: "pgkeep test"),
      cancellation: Cancellation())
  }

  /// One that holds something of every kind.
  private static func database() throws -> TemporaryDatabase {
    let database = try TemporaryCluster.shared(15).createDatabase()
    try database.psql("SET client_min_messages = error;\n" + Fidelity.sql("kinds"))
    try database.psql(
      """
      SET client_min_messages = error;
      CREATE TYPE k.mood AS ENUM ('a');
      CREATE TYPE k.pair AS (a int);
      CREATE SEQUENCE k.seq;
      CREATE TABLE k.parted (a int PRIMARY KEY) PARTITION BY LIST (a);
      CREATE TABLE k.part PARTITION OF k.parted DEFAULT;
      CREATE SUBSCRIPTION inventory_sub CONNECTION 'dbname=x' PUBLICATION a
        WITH (connect = false, slot_name = none);
      """)
    return database
  }
}
