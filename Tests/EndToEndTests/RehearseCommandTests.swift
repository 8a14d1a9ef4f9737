import Foundation
import TestSupport
import Testing

/// `migrate rehearse` from each beginning, as CI and a reviewer run it.
@Suite struct RehearseCommandTests {
  private let cluster: TemporaryCluster
  private let source: TemporaryDatabase
  private let folder: TestDirectory
  private let migrate: Tool
  private let backup: Tool

  init() throws {
    cluster = try TemporaryCluster.shared(15)
    source = try cluster.createDatabase(named: "rehearsed")
    folder = try TestDirectory()
    try FileManager.default.createDirectory(
      atPath: folder.file("migrations"), withIntermediateDirectories: true)
    let common = ["BACKUP_STORE": "file://\(folder.file("store"))", "LOG_FORMAT": "json"]
    backup = Tool.backup.with(common).with(["DATABASE_URL": source.url])
    migrate = Tool.migrate.with(common)
    try write("1_orders", "CREATE TABLE orders (id bigint, note text);", "DROP TABLE orders;")
  }

  private func write(_ name: String, _ up: String, _ down: String) throws {
    for (text, kind) in [(up, "up"), (down, "down")] {
      try text.write(
        toFile: folder.file("migrations/\(name).\(kind).sql"), atomically: true, encoding: .utf8)
    }
  }

  private func rehearse(_ tool: Tool, _ arguments: String...) throws -> [String: Any] {
    let all = ["rehearse", "--json", "--dir", folder.file("migrations")] + arguments
    let result = try Command.run(
      tool.path, all, environment: tool.environment, timeout: .seconds(120))
    #expect(result.exitCode == 0, "\(result.errorText)")
    let value = try JSONSerialization.jsonObject(with: Data(result.output))
    return try #require(value as? [String: Any])
  }

  @Test func aBackupIsABeginningWithAndWithoutRows() throws {
    let dir = folder.file("migrations")
    let online = migrate.with(["DATABASE_URL": source.url])
    #expect(try online("up", "--dir", dir).code == 0)
    try source.psql("INSERT INTO orders SELECT i, 'x' FROM generate_series(1, 100000) i")
    #expect(try backup("run").code == 0)
    try write(
      "2_note", "ALTER TABLE orders ALTER COLUMN id TYPE numeric;",
      "ALTER TABLE orders ALTER COLUMN id TYPE bigint;")

    // CI: no production database, an empty one to work in.
    let scratch = try cluster.createDatabase(named: "scratch")
    for arguments in [["--from", "latest"], ["--with-data", "latest"]] {
      let report = try rehearse(migrate, arguments[0], arguments[1], "--scratch", scratch.url)
      #expect(report["steps"] as? [String] == ["2_note"])
      let finding = try #require((report["findings"] as? [[String: Any]])?.first)
      #expect(finding["name"] as? String == "table-rewrite")
      let message = try #require(finding["message"] as? String)
      #expect(message.contains("k rows) while it is rewritten"), "\(message)")
      #expect(try scratch.psql("SELECT to_regclass('orders') IS NULL") == "t")
    }

    // It has left a mark for prunes meanwhile.
    let folders = try folder.names(in: "store/default")
    #expect(try folder.names(in: "store/default/\(folders[0])/pins").isEmpty)

    // Beside the target, and by a file.
    let objects = try FileManager.default.subpathsOfDirectory(atPath: folder.file("store"))
    let file = try #require(objects.first { $0.hasSuffix(".sql.gz") })
    let report = try rehearse(online, "--from", folder.file("store/\(file)"))
    #expect(report["steps"] as? [String] == ["2_note"])

    // The schema file, weighed by the manifest.
    #expect(try online("schema", "--dir", dir).code == 0)
    let weighed = try rehearse(
      migrate, "--from", "schema.sql", "--scratch", scratch.url, "--sizes-from", "latest")
    #expect(weighed["steps"] as? [String] == ["2_note"])
    let finding = try #require((weighed["findings"] as? [[String: Any]])?.first)
    #expect((finding["message"] as? String)?.contains("k rows)") == true, "\(finding)")
  }

  @Test func rowsFindWhatAnEmptyCopyCannot() throws {
    let dir = folder.file("migrations")
    let online = migrate.with(["DATABASE_URL": source.url])
    #expect(try online("up", "--dir", dir).code == 0)
    try source.psql("INSERT INTO orders VALUES (1, NULL)")
    #expect(try backup("run").code == 0)
    try write(
      "2_note", "ALTER TABLE orders ALTER COLUMN note SET NOT NULL;",
      "ALTER TABLE orders ALTER COLUMN note DROP NOT NULL;")
    _ = try rehearse(online)
    let outcome = try online("rehearse", "--dir", dir, "--with-data", "latest")
    #expect(outcome.code == 1)
    #expect(outcome.errorText.contains("contains null values"), "\(outcome.errorText)")
  }

  @Test func findingsAreShownInEachForm() throws {
    let online = migrate.with(["DATABASE_URL": source.url])
    let dir = folder.file("migrations")
    #expect(try online("up", "--dir", dir).code == 0)
    try source.psql("INSERT INTO orders SELECT i, 'x' FROM generate_series(1, 100000) i")
    try write(
      "2_note", "-- a comment\nALTER TABLE orders ALTER COLUMN id TYPE numeric;", "SELECT 1;")
    let text = try online("rehearse", "--dir", dir)
    #expect(text.code == 5)
    #expect(text.text.contains("2_note.up.sql:2: warning: table-rewrite: statement 1: "))
    #expect(text.text.contains("2_note.down.sql: error: down-differs: "))
    let markdown = try online("rehearse", "--dir", dir, "--format", "markdown")
    #expect(markdown.text.contains("| level | finding |"))
    #expect(markdown.text.contains("2_note.up.sql:2 | warning | table-rewrite |"))
    let notes = try online("rehearse", "--dir", dir, "--format", "github")
    #expect(notes.text.contains("::warning file=\(dir)/2_note.up.sql,line=2,title=table-rewrite::"))
    #expect(notes.text.contains("::error file=\(dir)/2_note.down.sql,title=down-differs::"))
    // A person's word silences it.
    try write(
      "2_note",
      "-- pgkeep: allow table-rewrite it is a quiet night\n"
        + "ALTER TABLE orders ALTER COLUMN id TYPE numeric;",
      "ALTER TABLE orders ALTER COLUMN id TYPE bigint;")
    let silenced = try online("rehearse", "--dir", dir, "--strict")
    #expect(silenced.code == 0, "\(silenced.errorText)")
    #expect(silenced.text.contains("because: it is a quiet night"))
  }
}
