import Foundation
import Glibc
import Repository
import TestSupport
import Testing

/// What all commands have in common.
@Suite struct CommandLineTests {
  @Test(arguments: [Tool.backup, Tool.restore, Tool.migrate])
  func aWrongFlagIsAUsageError(tool: Tool) throws {
    let run = try tool("--no-such-flag")
    #expect(run.code == 2)
    #expect(run.text.isEmpty)
    #expect(run.errorText.contains("--no-such-flag"))
  }

  @Test(arguments: [
    (["ENVIRONMENT": "a/b"], Int32(2), "ENVIRONMENT: "),
    (["LOG_LEVEL": "loud"], 2, "LOG_LEVEL: "),
    (["LOG_FORMAT": "xml"], 2, "LOG_FORMAT: "),
    (["BACKUP_STORE": ""], 8, "BACKUP_STORE is not set"),
    (["BACKUP_STORE": "ftp://host/x"], 2, "BACKUP_STORE: "),
    (["BACKUP_STORE": "relative/path"], 2, "BACKUP_STORE: "),
    (["BACKUP_STORE": "file://relative/path"], 2, "BACKUP_STORE: "),
    (["BACKUP_STORE": "s3://"], 2, "BACKUP_STORE: "),
    (["BACKUP_RETENTION_DAYS": "soon"], 2, "BACKUP_RETENTION_DAYS: "),
  ])
  func aBadSettingIsOneErrorThatNamesIt(
    variables: [String: String], code: Int32, words: String
  ) throws {
    let base = ["BACKUP_STORE": "file:///tmp/pgkeep-no-such-store"]
    let run = try Tool.backup.with(base).with(variables)("prune", "--dry-run")
    #expect(run.code == code)
    #expect(run.text.isEmpty)
    let lines = run.errorText.split(separator: "\n")
    #expect(lines.count == 1)
    #expect(run.errorText.contains(words))
  }

  @Test func errorsInJSONStandOnStandardOutputToo() throws {
    let run = try Tool.backup("list", "--json")
    #expect(run.code == 8)
    let error = try #require(try run.json()["error"] as? [String: Any])
    #expect(error["code"] as? String == "configuration")
    #expect(error["exit_status"] as? Int == 8)
    #expect((error["message"] as? String)?.hasPrefix("BACKUP_STORE is not set") == true)
    #expect(try run.errors().count == 1)
  }

  @Test func recordsHaveTheDocumentedFields() throws {
    let run = try Tool.backup.with(["ENVIRONMENT": "staging"])("list")
    let record = try #require(try run.records().first)
    #expect(
      Set(record.keys) == [
        "timestamp", "level", "service", "environment", "version", "request_id", "message",
        "duration_ms", "metadata",
      ])
    #expect(record["service"] as? String == "backup")
    #expect(record["environment"] as? String == "staging")
  }

  @Test func textIsForPeople() throws {
    let run = try Tool.backup("list", "--log-format", "text")
    #expect(run.errorText.hasPrefix("error: BACKUP_STORE is not set"))
  }

  @Test func outputThatCannotBeWrittenIsAFailure() throws {
    let stored = try StoredBackups()
    let run = try Command.run(
      "/bin/sh", ["-c", "exec \(BuiltExecutable.backup) list > /dev/full"],
      environment: stored.variables)
    #expect(run.exitCode == 1)
    #expect(run.errorText.contains("No space left on device"))
    // A reader that has seen enough is none.
    let piped = try Command.run(
      "/bin/sh", ["-c", "{ \(BuiltExecutable.backup) list; echo $? >&2; } | true"],
      environment: stored.variables)
    #expect(piped.errorText.split(separator: "\n").last == "0")
  }

  @Test func aPasswordOnTheCommandLineIsNotInTheProcessList() throws {
    let bench = try Bench(rows: 10)
    let holder = try bench.holdLock()
    defer { holder.kill() }
    let url = bench.url(bench.database.name)
    let run = try Tool.backup.with(["BACKUP_STORE": "file://\(bench.directory.path)"])
      .start("run", "--database-url", url)
    try bench.waitForStatement(like: "%LOCK%")
    let shown = try String(contentsOfFile: "/proc/\(run.pid)/cmdline", encoding: .utf8)
    #expect(shown.contains("--database-url"))
    #expect(shown.contains(bench.database.name))
    #expect(!shown.contains(Bench.secret))
    try bench.release(holder)
    try Tool.Outcome(result: run.wait()).expectSuccess()
  }

  @Test func smallBackupsAreSmallerAndTheSameOtherwise() throws {
    let bench = try Bench(rows: 3000)
    try bench.database.psql(
      "UPDATE shop.orders SET note = format('order %s was checked by clerk %s', id * 7, id % 31)")
    let sizes = try ["fast", "small"].map { level in
      let run = try bench.backup("run", "--json", "--compression", level)
      run.expectSuccess()
      return try #require(run.json()["bytes"] as? Int)
    }
    #expect(sizes[1] < sizes[0])
    let levels = try bench.repository.catalog().entries.map { $0.manifest?.object.compression }
    #expect(Set(levels) == ["fast", "small"])
    try bench.restore("latest", "--verify").expectSuccess()
    #expect(try bench.backup("run", "--compression", "tiny").code == 2)
  }

  @Test func metricsSayHowARunEnded() throws {
    let stored = try StoredBackups()
    try stored.add("shop", daysAgo: 1)
    let metrics = try TestDirectory()
    let backup = Tool.backup.with(stored.variables).with(["METRICS_DIRECTORY": metrics.path])
    #expect(try backup("prune").code == 0)
    #expect(try metrics.names() == ["pgkeep_backup_prune_default.prom"])
    let text = String(decoding: try metrics.read(metrics.names()[0]), as: UTF8.self)
    #expect(text.contains("pgkeep_success{command=\"backup prune\",environment=\"default\"} 1\n"))

    // Metrics that cannot be written are a warning.
    let run = try backup.with(["METRICS_DIRECTORY": "/nowhere"])("prune")
    #expect(run.code == 0)
    #expect(try run.records().contains { $0["level"] as? String == "warning" })
  }
}
