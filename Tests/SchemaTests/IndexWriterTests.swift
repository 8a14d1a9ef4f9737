import ByteStream
import Postgres
import TestSupport
import Testing

@testable import Schema

/// The server is asked for the definitions of few indexes; the others' text must be what it would
/// have said.
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
  }
}
