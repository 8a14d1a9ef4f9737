import Postgres
import Schema
import TestSupport
import Testing

/// Databases are read, made again from their scripts, and compared by `pg_dump`.
@Suite struct SchemaFidelityTests {
  static let majors = [15, 18]

  @Test(arguments: majors, ["application", "kinds"])
  func `a database is made again exactly`(major: Int, database: String) throws {
    let difference = try Fidelity(major).difference(Fidelity.sql(database))
    #expect(difference == [])
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
}
