import ByteStream
import Postgres
import TestSupport
import Testing

@testable import LogicalBackup

/// What belongs to the database itself: in a backup when it is asked for.
@Suite struct DatabaseSettingsTests {
  /// What pg_dump --create says of the database, without its name.
  private static func facts(_ database: TemporaryDatabase) throws -> [String] {
    try database.dump(["-s", "--create"]).replacing(database.name, with: "D")
      .split(separator: "\n").map(String.init)
      .filter { $0.contains("DATABASE D") && !$0.hasPrefix("--") }.sorted()
  }

  @Test(arguments: [15, 18]) func comeBackAlsoInAReplacement(major: Int) throws {
    let cluster = try TemporaryCluster(major)
    let source = try cluster.createDatabase(named: "source")
    let name = source.name
    try source.psql(
      """
      CREATE ROLE app; CREATE ROLE "Odd role"; CREATE TABLE t (a int);
      COMMENT ON DATABASE \(name) IS 'it''s 100% ours';
      ALTER DATABASE \(name) SET search_path = app, "Odd schema";
      ALTER DATABASE \(name) SET default_transaction_read_only = on;
      ALTER DATABASE \(name) SET myapp.tenant = 'a ''b''';
      ALTER ROLE "Odd role" IN DATABASE \(name) SET work_mem = '8MB';
      ALTER DATABASE \(name) CONNECTION LIMIT 50;
      REVOKE CONNECT ON DATABASE \(name) FROM PUBLIC;
      GRANT CREATE ON DATABASE \(name) TO app WITH GRANT OPTION;
      """)
    var options = ExportFixture.options()
    let plain = try ExportFixture.export(source, options)
    #expect(!plain.result.facts.hasDatabaseSettings)
    options.selection.includesDatabaseSettings = true
    let (result, bytes) = try ExportFixture.export(source, options)
    #expect(result.facts.hasDatabaseSettings && !result.facts.isPartial)

    let (copy, report) = try PartialExportTests.restore(bytes, on: cluster)
    #expect(report.skipped.isEmpty)
    #expect(try Self.facts(copy) == Self.facts(source))

    let old = try cluster.createDatabase(named: "old")
    try old.psql(
      "ALTER DATABASE \(old.name) SET work_mem = '1GB'; COMMENT ON DATABASE \(old.name) IS 'old'")
    var restore = RestoreOptions()
    restore.mode = .replace
    _ = try LogicalRestorer(ConnectionTarget(old.url), restore, cancellation: Cancellation())
      .restore(RestoreFile(bytes, "settings").reader)
    #expect(try Self.facts(old) == Self.facts(source))

    // Without them, a replacement takes over what the old one had.
    try old.psql("SET default_transaction_read_only = off; ALTER DATABASE \(old.name) RESET ALL")
    try old.psql("ALTER DATABASE \(old.name) SET work_mem = '2GB'")
    let before = try Self.facts(old)
    _ = try LogicalRestorer(ConnectionTarget(old.url), restore, cancellation: Cancellation())
      .restore(RestoreFile(plain.bytes, "plain").reader)
    #expect(try Self.facts(old) == before)

    let byHand = try cluster.createDatabase(named: "psql")
    try ExportFixture.restore(bytes, into: byHand)
    #expect(try Self.facts(byHand) == Self.facts(source))

    let (bare, _) = try PartialExportTests.restore(bytes, on: cluster) {
      $0.omitsPrivileges = true
    }
    #expect(try !Self.facts(bare).contains { $0.hasPrefix("GRANT") || $0.hasPrefix("REVOKE") })
    #expect(try Self.facts(bare).contains { $0.contains("search_path") })
  }
}
