import Foundation
import Migrations
import Postgres
import TestSupport
import Testing

/// What migrations write into the WAL, read back from it. One at a time: the WAL is all databases'.
@Suite(.serialized) struct RestorePointsTests {
  /// A server whose WAL can be decoded, and looked into.
  private static let cluster = Result {
    try TemporaryCluster(
      15, ClusterOptions(settings: ["wal_level": "logical", "synchronous_commit": "on"]))
  }

  private func fixture() throws -> Fixture {
    let fixture = Fixture(try Self.cluster.get().createDatabase(named: "marks"))
    try fixture.database.psql(
      "CREATE EXTENSION pg_walinspect; "
        + "SELECT pg_create_logical_replication_slot('\(fixture.database.name)', 'test_decoding')")
    return fixture
  }

  /// The messages of committed transactions, in order.
  private func messages(_ fixture: Fixture) throws -> [[String: Any]] {
    let text = try fixture.database.psql(
      "SELECT data FROM pg_logical_slot_get_changes('\(fixture.database.name)', NULL, NULL) "
        + "WHERE data LIKE 'message: transactional: 1 prefix: pgkeep.migration,%'")
    return try text.split(separator: "\n").map { line in
      let content = try #require(line.range(of: "content:"))
      let object = try JSONSerialization.jsonObject(with: Data(line[content.upperBound...].utf8))
      return try #require(object as? [String: Any])
    }
  }

  private func points(_ fixture: Fixture, since lsn: String) throws -> [String] {
    try fixture.database.psql(
      """
      SELECT description FROM pg_get_wal_records_info('\(lsn)', pg_current_wal_flush_lsn())
      WHERE record_type = 'RESTORE_POINT' AND description LIKE 'pgkeep:%'
      """
    ).split(separator: "\n").map(String.init)
  }

  private func position(_ fixture: Fixture) throws -> String {
    try fixture.database.psql("SELECT pg_switch_wal(); SELECT pg_current_wal_flush_lsn()")
      .split(separator: "\n").last.map(String.init) ?? ""
  }

  private static let files: KeyValuePairs<String, (String, String)> = [
    "1_a": ("CREATE TABLE a (i int);\n-- \"quoted\" ä\n", "DROP TABLE a;"),
    "2_b": (
      "-- pgkeep: no-transaction\nCREATE INDEX CONCURRENTLY a_i ON a (i);", "DROP INDEX a_i;"
    ),
  ]

  @Test func eachStepIsARestorePointAndAMessageWithItsSQL() throws {
    let fixture = try fixture()
    let start = try position(fixture)
    let files = try Fixture.files(Self.files)
    try fixture.migrator().up(files)
    try fixture.migrator().down(.steps(2))
    try fixture.migrator().up(files)
    let messages = try messages(fixture)
    #expect(
      messages.map { "\($0["direction"] ?? "") \($0["version"] ?? "")" }
        == ["up 1", "up 2", "down 2", "down 1", "up 1", "up 2"])
    #expect(messages.first?["sql"] as? String == Self.files[0].value.0)
    #expect(messages.first?["name"] as? String == "a")
    // Each name is there once, and the history knows it.
    let points = try points(fixture, since: start)
    #expect(points.count == 6)
    #expect(Set(points).count == 6)
    #expect(
      points
        == messages.map { "pgkeep:\($0["version"] ?? ""):\($0["id"] ?? "")" })
    #expect(
      try fixture.database.psql(
        """
        SELECT string_agg(details->>'restore_point', ',' ORDER BY id)
        FROM pgkeep.migration_history WHERE outcome = 'done'
        """) == points.joined(separator: ","))
  }

  /// The server logs each restore point with the text that it came in.
  @Test func theServersLogHoldsNoSQLOfMigrations() throws {
    let fixture = try fixture()
    try fixture.migrator().up(
      try Fixture.files([
        "1_a": ("CREATE TABLE a (i int) /* not for logs */;", "DROP TABLE a;"),
        "2_b": ("CREATE TABLE b (i int) /* not for logs */;", "DROP TABLE b;"),
      ]))
    let log = try String(contentsOfFile: Self.cluster.get().logFile, encoding: .utf8)
    #expect(log.contains("restore point \"pgkeep:2:"))
    #expect(!log.contains("not for logs"))
  }

  @Test func whatIsRolledBackLeavesNoMessage() throws {
    let fixture = try fixture()
    let files = try Fixture.files(["1_a": ("CREATE TABLE a (i int); SELECT x;", "SELECT 1;")])
    _ = try failure { try fixture.migrator().up(files) }
    #expect(try messages(fixture).isEmpty)
  }

  @Test func aPlainRoleLeavesMessagesOnly() throws {
    let fixture = try fixture()
    let role = "plain_\(fixture.database.name)"
    try fixture.database.psql(
      "CREATE ROLE \(role) LOGIN; GRANT CREATE ON DATABASE \"\(fixture.database.name)\" TO \(role); "
        + "GRANT CREATE ON SCHEMA public TO \(role)")
    let start = try position(fixture)
    let url = fixture.database.url.replacing("postgres@", with: "\(role)@")
    try fixture.migrator(url: url).up(Fixture.files(Self.files))
    let names = try messages(fixture).map { $0["name"] as? String }
    #expect(names == ["a", "b"])
    #expect(try points(fixture, since: start).isEmpty)
    #expect(
      try fixture.database.psql(
        """
        SELECT count(*) FROM pgkeep.migration_history
        WHERE details ? 'lsn' AND NOT details ? 'restore_point'
        """) == "2")
    try fixture.database.psql(
      "GRANT EXECUTE ON FUNCTION pg_create_restore_point TO \(role)")
    try fixture.migrator(url: url).down(.steps(1))
    #expect(try points(fixture, since: start).count == 1)
  }
}
