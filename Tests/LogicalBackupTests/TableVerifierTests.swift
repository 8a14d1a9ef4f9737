import ByteStream
import Postgres
import TestSupport
import Testing

@testable import LogicalBackup

@Suite struct TableVerifierTests {
  private func table(_ name: SQLText, _ columns: [SQLText]) -> TableRecord {
    TableRecord(number: 1, schema: "public", name: name, columns: columns, sum: TableSum())
  }

  /// What a table's rows add up to, by psql's COPY and one thread.
  private func plainSum(_ database: TemporaryDatabase, _ copy: String) throws -> TableSum {
    let text = try database.cluster.check(
      "psql", ["-qAtX", "-d", database.name, "-c", "COPY \(copy) TO STDOUT"]
    ).output
    var sum = TableSum()
    try text.withUnsafeBytes { try sum.add(rows: $0) }
    return sum
  }

  @Test("Tables cut into ranges add up to what one COPY gives")
  func ranges() throws {
    let database = try TemporaryCluster.shared().createDatabase()
    defer { try? database.drop() }
    try database.psql(
      """
      CREATE TABLE big (a int, dropped int, b text, c int GENERATED ALWAYS AS (a * 2) STORED);
      ALTER TABLE big DROP COLUMN dropped;
      INSERT INTO big SELECT i, repeat(md5(i::text), 20) FROM generate_series(1, 40000) i;
      DELETE FROM big WHERE a % 3 = 0;
      CREATE TABLE toasted (a int, b text);
      ALTER TABLE toasted ALTER b SET STORAGE EXTERNAL;
      INSERT INTO toasted SELECT i, repeat('x', 100000) FROM generate_series(1, 2000) i;
      CREATE TABLE nothing (a int);
      CREATE TABLE hollow ();
      INSERT INTO hollow SELECT FROM generate_series(1, 7);
      """)
    let verifier = TableVerifier(
      try ConnectionTarget(database.url), jobs: 2, cancellation: Cancellation())
    let tables = [
      table("big", ["a", "b"]), table("toasted", ["a", "b"]), table("nothing", ["a"]),
      table("hollow", []), table("absent", ["a"]),
    ]
    let sums = try verifier.sums(of: tables)
    #expect(try sums[0] == plainSum(database, "big (a, b)"))
    #expect(try sums[1] == plainSum(database, "toasted"))
    #expect(sums[2] == TableSum())
    #expect(try sums[3] == plainSum(database, "hollow"))
    #expect(sums[3]?.rows == 7)
    #expect(sums[4] == nil)
    let source = CopySource(
      schema: "public", name: "toasted", columns: ["a", "b"], mainBytes: 120_000,
      totalBytes: 200_000_000)
    #expect(CopyUnit.cut([source], blockSize: 8192).count == 3)
  }

  @Test("A row that was lost or changed shows")
  func mismatches() throws {
    let database = try TemporaryCluster.shared().createDatabase()
    defer { try? database.drop() }
    try database.psql("CREATE TABLE t (a int, b text); INSERT INTO t VALUES (1, 'x'), (2, 'y')")
    let verifier = TableVerifier(
      try ConnectionTarget(database.url), jobs: 1, cancellation: Cancellation())
    var record = table("t", ["a", "b"])
    record.sum = try #require(try verifier.sums(of: [record])[0])
    #expect(try verifier.mismatches([record]).isEmpty)
    try database.psql("UPDATE t SET b = 'z' WHERE a = 2")
    #expect(
      try verifier.mismatches([record]).map(\.description)
        == ["public.t: 2 rows as in the backup, but not the same ones"])
    try database.psql("DELETE FROM t WHERE a = 2")
    #expect(
      try verifier.mismatches([record]).map(\.description)
        == ["public.t: 1 rows, the backup has 2"])
    try database.psql("DROP TABLE t")
    #expect(
      try verifier.mismatches([record]).map(\.description) == ["public.t: the table is missing"])
  }

  @Test("An error names the table")
  func failure() throws {
    let database = try TemporaryCluster.shared().createDatabase()
    defer { try? database.drop() }
    try database.psql("CREATE TABLE t (a int)")
    let verifier = TableVerifier(
      try ConnectionTarget(database.url), jobs: 2, cancellation: Cancellation())
    do {
      _ = try verifier.sums(of: [table("t", ["missing"])])
      Issue.record("a column that is not there was read")
    } catch let error as LogicalBackupError {
      #expect(error.code == .server && error.object == "public.t")
    }
  }
}
