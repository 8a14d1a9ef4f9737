import Foundation
import TestSupport
import Testing

/// A database of pgbench and a table of awkward values, backed up and restored by pgkeep and by
/// psql: three databases with the same rows.
///
/// Small by default; with PGKEEP_TEST_ALL pgbench's scale is 20 and the table has two million rows.
@Suite struct RoundTripTests {
  private static let isLarge = Command.cleanEnvironment["PGKEEP_TEST_ALL"] == "1"
  private static let scale = isLarge ? 20 : 1
  private static let rows = isLarge ? 2_000_000 : 40_000

  @Test func threeDatabasesAreTheSame() throws {
    let cluster = try TemporaryCluster(
      15, ClusterOptions(settings: ["max_wal_size": "8GB", "maintenance_work_mem": "256MB"]))
    let source = try cluster.createDatabase(named: "source")
    try fill(source)
    let expected = try contents(of: source)
    #expect(expected.count == 5)

    let store = try TestDirectory()
    let backup = Tool.backup.with([
      "DATABASE_URL": source.url, "BACKUP_STORE": "file://" + store.path,
    ])
    let made = try backup("run", timeout: .seconds(900))
    #expect(made.code == 0, "\(made.errorText)")
    #expect(made.result.peakResidentBytes < 96 << 20)

    let restored = TemporaryDatabase(
      cluster: cluster, name: TemporaryCluster.uniqueName("restored"))
    let restore = Tool.restore.with([
      "RESTORE_URL": restored.url, "BACKUP_STORE": "file://" + store.path,
    ])
    let done = try restore("latest", "--verify", timeout: .seconds(900))
    #expect(done.code == 0, "\(done.errorText)")
    #expect(done.result.peakResidentBytes < 96 << 20)
    #expect(try contents(of: restored) == expected)

    // The same file, by what is on every machine.
    let byHand = try cluster.createDatabase(named: "psql")
    let folder = "default/\(source.name)/logical"
    let file = try #require(try store.names(in: folder).first { $0.hasSuffix(".sql.gz") })
    try Command.check(
      "bash",
      [
        "-o", "pipefail", "-c",
        "gunzip -c \"$1\" | \"$2\" -X -q -v ON_ERROR_STOP=1 -d \"$3\" > /dev/null", "sh",
        store.file("\(folder)/\(file)"), cluster.binaries + "/psql", byHand.socketURL,
      ], timeout: .seconds(900))
    #expect(try contents(of: byHand) == expected)
    #expect(
      try SampleMigrations.schema(of: byHand) == SampleMigrations.schema(of: source))
    #expect(
      try SampleMigrations.schema(of: restored) == SampleMigrations.schema(of: source))
  }

  private func fill(_ database: TemporaryDatabase) throws {
    let cluster = database.cluster
    try cluster.check(
      "pgbench", ["-i", "-q", "-s", "\(Self.scale)", database.name], timeout: .seconds(900))
    // Rows in pgbench_history, and dead ones in the others.
    try cluster.check("pgbench", ["-c", "2", "-t", "500", "-n", database.name])
    try database.psql(
      #"""
      CREATE TABLE awkward (
        id bigint PRIMARY KEY,
        at timestamptz, day date, span interval, amount numeric, ratio double precision,
        facts jsonb, words text[], note text, raw bytea
      );
      INSERT INTO awkward
      SELECT i,
        CASE i % 50 WHEN 0 THEN 'infinity' WHEN 1 THEN '-infinity' WHEN 2 THEN NULL
          ELSE timestamptz '1999-12-31 23:59:59.999999+00' + i * interval '61.000001 s' END,
        CASE WHEN i % 7 > 0 THEN date '0044-03-15 BC' + (i * 3)::int END,
        make_interval(months => (i % 40)::int, days => -(i % 30)::int, secs => i / 7.0),
        CASE i % 60 WHEN 0 THEN 'NaN' WHEN 1 THEN NULL WHEN 2 THEN 'Infinity'
          ELSE (i::numeric ^ 3) / 7 END,
        CASE i % 40 WHEN 0 THEN 'NaN' WHEN 1 THEN '-0' WHEN 2 THEN NULL
          ELSE sqrt(i::float8) * 1e-200 ^ (i % 2) END,
        CASE WHEN i % 5 > 0 THEN jsonb_build_object(
          'n', i, 'deep', jsonb_build_array(i % 3 = 0, NULL, 'ü"\' || i), 'tab', E'\t') END,
        CASE WHEN i % 6 > 0 THEN ARRAY['{', NULL, 'NULL', '', E'a\\"b,c', 'x' || i] END,
        CASE i % 9 WHEN 0 THEN NULL WHEN 1 THEN '' WHEN 2 THEN '\N' WHEN 3 THEN '\.'
          WHEN 4 THEN E'line\nbreak\rand\ttab \b\f\v' WHEN 5 THEN '日本 😀 e' || U&'\0301'
          ELSE repeat('plain text ', (i % 11)::int) END,
        CASE WHEN i % 8 > 0 THEN sha256(int8send(i)) || '\x00ff5c0a'::bytea END
      FROM generate_series(1, \#(Self.rows)) AS i;
      """#, timeout: .seconds(900))
  }

  /// A checksum over the rows of each table as COPY tells them, in order.
  private func contents(of database: TemporaryDatabase) throws -> [String: String] {
    var result: [String: String] = [:]
    let orders = [
      "pgbench_accounts": "aid", "pgbench_branches": "bid", "pgbench_tellers": "tid",
      "pgbench_history": "t::text", "awkward": "id",
    ]
    for (table, order) in orders {
      let sum = try Command.check(
        "bash",
        [
          "-o", "pipefail", "-c", "\"$1\" -X -q -v ON_ERROR_STOP=1 -d \"$2\" -c \"$3\" | sha256sum",
          "sh",
          database.cluster.binaries + "/psql", database.socketURL,
          "COPY (SELECT * FROM public.\(table) t ORDER BY \(order)) TO STDOUT",
        ], timeout: .seconds(300))
      result[table] = sum.text
    }
    return result
  }
}
