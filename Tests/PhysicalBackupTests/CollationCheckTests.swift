import ByteStream
import Foundation
import ObjectStore
import Postgres
import TestSupport
import Testing

@testable import PhysicalBackup

/// After a restore, the indexes that another version of a collation has put out of order.
@Suite struct CollationCheckTests {
  @Test(arguments: PhysicalTesting.majors)
  func indexesOfCollationsWithAnotherVersionAreListed(major: Int) throws {
    let cluster = try TemporaryCluster(major)
    let directory = try TestDirectory()
    let store = try DirectoryStore(path: directory.path)
    try cluster.psql("CREATE DATABASE \"odd 'name\" TEMPLATE template0")
    try cluster.psql("CREATE DATABASE sound")
    let tables = """
      CREATE TABLE "People" (id int PRIMARY KEY, name text COLLATE "de-x-icu", other text);
      CREATE INDEX by_name ON "People" (name);
      CREATE INDEX by_other ON "People" (other);
      CREATE INDEX by_expression ON "People" (id) WHERE other COLLATE "de-x-icu" < 'm';
      CREATE INDEX by_default ON "People" (id) WHERE other < 'm';
      CREATE INDEX by_pattern ON "People" (other text_pattern_ops);
      CREATE INDEX by_swedish ON "People" (other COLLATE "sv-x-icu")
      """
    let odd = "odd 'name"
    // Where PostgreSQL was built without ICU, others take its names.
    let hasICU =
      try cluster.psql("SELECT count(*) FROM pg_collation WHERE collname = 'de-x-icu'") == "1"
    let collations = ["de-x-icu", "sv-x-icu"].map {
      "CREATE COLLATION public.\"\($0)\" (provider = libc, locale = 'C.UTF-8');"
    }
    for database in [odd, "sound"] {
      try cluster.psql((hasICU ? "" : collations.joined()) + tables, database: database)
    }
    try cluster.psql(
      "UPDATE pg_collation SET collversion = '1.0' WHERE collname = 'de-x-icu'", database: odd)
    _ = try BaseBackup(
      ConnectionTarget(cluster.url()), to: store, environment: "test"
    ).run(cancellation: Cancellation())

    let restored = try RestoredCluster(store, .latest, major: major)
    let check = CollationCheck(restored.server, role: "postgres")
    var found = try check.run()
    #expect(found.map(\.index) == ["public.by_expression", "public.by_name"])
    #expect(found.allSatisfy { $0.database == odd && $0.stored == "1.0" })
    #expect(found.allSatisfy { $0.collation.contains("de-x-icu") && $0.actual != "1.0" })
    #expect(found.first?.command == "REINDEX INDEX CONCURRENTLY public.by_expression;")

    // A database's own collation.
    _ = try restored.psql(
      "UPDATE pg_database SET datcollversion = '0.1' WHERE datname = 'sound'")
    found = try check.run().filter { $0.database == "sound" }
    let own = found.filter { $0.index.hasPrefix("public.") }
    #expect(own.map(\.index).sorted() == ["public.by_default", "public.by_other"])
    #expect(own.allSatisfy { $0.collation == "database default" && $0.stored == "0.1" })
    // Whoever does not get in is told why.
    let error = #expect(throws: PhysicalBackupError.self) {
      try CollationCheck(restored.server, role: "nobody at all").run()
    }
    #expect(error?.message.contains("as nobody at all") ?? false, "\(error as Any)")
  }
}
