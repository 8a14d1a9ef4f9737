import ByteStream
import Postgres
import Synchronization
import TestSupport
import Testing

@testable import LogicalBackup

/// Restores of single tables and schemas.
@Suite struct PartialRestoreTests {
  private func restore(
    _ file: LogicalFileReader, to url: String, tables: [String] = [], schemas: [String] = []
  ) throws -> RestoreReport {
    var options = RestoreOptions()
    options.jobs = 2
    options.verifies = true
    options.tables = tables
    options.schemas = schemas
    return try LogicalRestorer(ConnectionTarget(url), options, cancellation: Cancellation())
      .restore(file)
  }

  private static let more = """
    ;CREATE SCHEMA "Odd.schema";
    CREATE TABLE "Odd.schema"."T ""x" (a int PRIMARY KEY, b public.state, c text);
    INSERT INTO "Odd.schema"."T ""x" SELECT i, 'paid', repeat('y', 300) FROM generate_series(1, 50) i;
    CREATE VIEW "Odd.schema".mixed AS SELECT a FROM "Odd.schema"."T ""x" JOIN public.log ON a = 1;
    CREATE TABLE public.big AS SELECT i, md5(i::text) FROM generate_series(1, 20000) i;
    """

  private static let relations = """
    SELECT string_agg(c.oid::regclass::text, ' ' ORDER BY c.oid::regclass::text COLLATE "C")
    FROM pg_class c WHERE relkind IN ('r', 'v', 'm', 'p') AND oid > 16383
    """

  @Test(arguments: [15, 18]) func onlyWhatWasAskedForComesBack(major: Int) throws {
    let cluster = try TemporaryCluster.shared(major)
    let source = try cluster.createDatabase()
    try source.psql(SampleDatabase.sql + Self.more)
    let (_, bytes) = try ExportFixture.export(source, ExportFixture.options(memberSize: 16 << 10))
    let read = Mutex(0)
    let reader = LogicalFileReader(name: "backup", size: bytes.count) { range, body in
      read.withLock { $0 += range.count }
      try bytes[range].withUnsafeBytes(body)
    }
    func check(
      _ what: String, tables: [String] = [], schemas: [String] = [], made: String, rows: Int,
      skipped: [String]
    ) throws {
      let copy = TemporaryDatabase(cluster: cluster, name: TemporaryCluster.uniqueName("part"))
      let report = try restore(reader, to: copy.url, tables: tables, schemas: schemas)
      #expect(try copy.psql(Self.relations) == made, "\(what)")
      #expect(report.rows == rows, "\(what)")
      #expect(report.isVerified, "\(what)")
      #expect(report.skipped.count == skipped.count, "\(what): \(report.skipped)")
      for words in skipped { #expect(report.skipped.contains { $0.contains(words) }, "\(what)") }
      #expect(report.notes.contains { $0.contains("large objects") }, "\(what)")
      try copy.drop()
    }

    // The foreign key to a table that is not there is said to be missing.
    try check(
      "one", tables: ["orders"], made: "orders", rows: 1000,
      skipped: ["orders_customer_fkey"])
    let small = read.withLock { $0 }
    #expect(small < bytes.count / 2)
    try check(
      "two", tables: ["public.orders", "cust*"], made: "customers orders", rows: 1004, skipped: [])
    // A partitioned table brings its partitions; a partition alone is a plain table.
    try check("partitioned", tables: ["log"], made: "log log_1 log_2", rows: 100, skipped: [])
    try check(
      "partition", tables: ["log_?"], made: "log_1 log_2", rows: 100, skipped: [])
    // A view of the schema that reads a table of another is passed over, and said.
    try check(
      "schema", schemas: ["\"Odd.schema\""], made: #""Odd.schema"."T ""x""#, rows: 50,
      skipped: ["mixed"])
    try check(
      "quoted", tables: [#""Odd.schema"."T ""x""#], made: #""Odd.schema"."T ""x""#, rows: 50,
      skipped: [])

    let copy = TemporaryCluster.uniqueName("part")
    for tables in [["nope"], ["other.orders"], ["a.b.c"], ["\"open"]] {
      let error = #expect(throws: LogicalBackupError.self) {
        _ = try restore(reader, to: cluster.url(copy), tables: tables)
      }
      #expect(error?.code == .invalidRequest)
    }
    #expect(
      try cluster.psql("SELECT count(*) FROM pg_database WHERE starts_with(datname, '\(copy)')")
        == "0")
    try source.drop()
  }

  @Test(arguments: [
    ("orders", "public", "orders", true), ("ORDERS", "public", "orders", true),
    ("\"ORDERS\"", "public", "orders", false), ("ord*", "x", "orders", true),
    ("*", "x", "y", true), ("o?ders", "x", "orders", true), ("o?ders", "x", "oders", false),
    ("o?d", "x", "oéd", true), ("p*.o*s", "public", "orders", true),
    ("p*.o*s", "x", "orders", false), ("\"a.b\"", "x", "a.b", true),
    ("\"a*\"", "x", "ab", false), ("\"a*\"", "x", "a*", true), ("a*b*c", "x", "axbxbc", true),
    ("a*b*c", "x", "axbxb", false), ("\"a\"\"b\"", "x", "a\"b", true),
  ])
  func patterns(pattern: String, schema: String, name: String, matches: Bool) throws {
    let relation = RelationName(schema: SQLText(schema), name: SQLText(name))
    #expect(try TablePattern(pattern).matches(relation) == matches)
  }
}
