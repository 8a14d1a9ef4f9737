import Foundation
import Glibc
import TestSupport
import Testing

@testable import PhysicalBackup

/// The commands of docs/recovery.md, run as they stand there, against a cluster that is lost.
@Suite struct RunbookTests {
  /// The commands in a page's code blocks, with continued lines joined.
  private func commands(_ page: String) throws -> [String] {
    let text = try String(contentsOfFile: ProjectRoot.path + "/docs/" + page, encoding: .utf8)
    var commands: [String] = []
    var isCode = false
    var continued = ""
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      if line.hasPrefix("```") { isCode = line == "```" && !isCode && continued.isEmpty }
      guard isCode, !line.hasPrefix("```") else { continue }
      continued += line.hasSuffix("\\") ? String(line.dropLast()) : String(line)
      if line.hasSuffix("\\") { continue }
      let command = continued.prefix { $0 != "#" }.trimmingCharacters(in: .whitespaces)
      if !command.isEmpty { commands.append(command) }
      continued = ""
    }
    return commands
  }

  @Test func eachCommandDoesWhatItSays() throws {
    let directory = try TestDirectory()
    // PostgreSQL's user runs all of it, and must be able to run the tools.
    try Command.check("mkdir", [directory.file("bin")])
    for tool in [BuiltExecutable.backup, BuiltExecutable.restore] {
      try Command.check("cp", [tool, directory.file("bin")])
    }
    try PhysicalTesting.giveToPostgres(directory.path)
    let cluster = try TemporaryCluster(15, ClusterOptions(settings: ["synchronous_commit": "on"]))
    try cluster.psql("CREATE ROLE backup LOGIN REPLICATION; GRANT pg_read_all_settings TO backup")
    // The page's key file: nothing here is encrypted, so that it opens nothing.
    let key = directory.file("pgkeep.key")
    try Command.check(BuiltExecutable.backup, ["keygen", key])
    try PhysicalTesting.giveToPostgres(key)
    let environment = [
      "DATABASE_URL": cluster.url(user: "backup"),
      "BACKUP_STORE": "file://" + directory.file("store"),
      "PATH": directory.file("bin") + ":/usr/local/bin:/usr/bin:/bin",
    ]
    func shell(_ command: String) throws -> CommandResult {
      try Command.run(
        "bash", ["-c", command], environment: environment, directory: directory.path,
        asPostgres: true, timeout: .seconds(120))
    }
    func check(_ command: String) throws -> String {
      let result = try shell(command)
      #expect(result.ending == .exited(0), "\(command): \(result.text)\(result.errorText)")
      return result.text
    }

    let receiver = try Command.start(
      "bash", ["-c", "exec backup wal --tail-interval 1"], environment: environment,
      directory: directory.path, asPostgres: true)
    defer { receiver.kill() }
    // The slot comes before the first base backup.
    try wait("the slot", receiver) {
      try cluster.psql("SELECT count(*) FROM pg_replication_slots WHERE active") == "1"
    }
    try cluster.psql("CREATE TABLE t (id int); INSERT INTO t VALUES (1)")
    #expect(try check("backup base").contains("base backup"))
    try cluster.psql("INSERT INTO t VALUES (2)")
    usleep(50_000)
    let moment = try cluster.psql("SELECT now()")
    usleep(50_000)
    try cluster.psql("INSERT INTO t VALUES (3)")
    let position = try cluster.psql("SELECT pg_current_wal_lsn()")
    try cluster.psql("SELECT pg_create_restore_point('before the release')")
    try cluster.psql(
      """
      SELECT pg_logical_emit_message(false, 'pgkeep.migration',
        '{"id": 1, "version": "20261122093000", "direction": "up"}')
      """)
    try cluster.psql("INSERT INTO t VALUES (4)")
    let end = try cluster.psql("SELECT pg_current_wal_lsn()")
    try wait("the archive", receiver) {
      try cluster.psql(
        "SELECT restart_lsn >= '\(end)' FROM pg_replication_slots WHERE slot_name = 'pgkeep'")
        == "t"
    }
    receiver.signal(SIGTERM)
    let ended = try receiver.wait(timeout: .seconds(600))
    #expect(ended.ending == .exited(0), "\(ended.errorText)")
    try cluster.crash()

    // What each command of the page must bring back.
    let expected: [(part: String, rows: String)] = [
      ("--latest", "4"), ("--at", "2"), ("--before-migration", "3"), ("--restore-point", "3"),
      ("--lsn", "3"),
    ]
    var done = 0
    let page = try commands("recovery.md")
    for (command, word) in [
      ("backup list", "every moment can be restored on"), ("backup prune", "Nothing to delete"),
      ("backup prune --dry-run", "the newest base backup of timeline 1"),
      ("backup verify --cluster", "all of it is sound"),
      ("restore drill --work-directory /var/tmp", "recovery time: "),
    ] {
      #expect(page.contains(command))
      let adapted = command.replacingOccurrences(of: "/var/tmp", with: directory.path)
      #expect(try check(adapted).contains(word), "\(command)")
    }
    for command in page where command.hasPrefix("restore cluster") {
      if command.hasSuffix("--list") {
        let list = try check(command)
        #expect(list.contains("every moment can be reached in"))
        #expect(list.contains("before the release"))
        continue
      }
      done += 1
      // Into what the command before has restored, where only a part is to be fetched.
      let isDelta = command.contains("--delta")
      let place = directory.file("restored\(isDelta ? done - 1 : done)")
      let port = try LoopbackPort.free()
      var adapted = command
      for (from, to) in [
        ("/var/lib/postgresql/15/restored", place), ("/tmp/before", place), ("DIR", place),
        ("2026-11-22 14:29:30Z", moment), ("16/B374D848", position), ("POSITION", position),
        ("port=5433", "port=\(port)"), ("/root/pgkeep.key", key),
      ] { adapted = adapted.replacingOccurrences(of: from, with: to) }
      if !adapted.contains("--start") { adapted += " --start" }
      adapted +=
        " --set port=\(port) --set unix_socket_directories=\(directory.path) --set fsync=off"
        + " --superuser postgres"
      let said = try check(adapted)
      #expect(said.contains("that were the same") == isDelta, "\(adapted): \(said)")
      #expect(said.contains("collation versions are as they were"), "\(adapted): \(said)")
      defer {
        _ = try? Command.run(
          cluster.binaries + "/pg_ctl", ["-D", place, "-m", "immediate", "stop"], asPostgres: true)
      }
      let rows = try Command.check(
        cluster.binaries + "/psql",
        [
          "-XqAt", "-h", directory.path, "-p", "\(port)", "-U", "postgres", "-c",
          "SELECT count(*) FROM t",
        ])
      let wanted = try #require(expected.first { command.contains($0.part) }).rows
      #expect(rows.text == wanted + "\n", "\(adapted)")
      // No secret and no password stands in the server's settings.
      let auto = try String(contentsOfFile: place + "/postgresql.auto.conf", encoding: .utf8)
      #expect(auto.contains("wal-fetch --config"))
      #expect(!auto.contains("file://"))
      let keys = try FileManager.default.attributesOfItem(atPath: place + ".pgkeep/wal-fetch.json")
      #expect((keys[.posixPermissions] as? Int) == 0o600)
    }
    #expect(done >= 7)

    // One database or table, into another server.
    let other = try TemporaryCluster.shared(15)
    for command in page where command.hasPrefix("restore --") {
      done += 1
      let name = "runbook_\(UInt32.random(in: 0...UInt32.max))"
      var adapted = String(
        command.prefix(upTo: try #require(command.range(of: "--to ")).lowerBound))
      for (from, to) in [
        ("2026-11-22 14:29:30Z", moment), ("--database shop", "--database postgres"),
        ("--table orders", "--table t"),
      ] { adapted = adapted.replacingOccurrences(of: from, with: to) }
      _ = try check(adapted + "--to '\(other.url(name))' --work-directory \(directory.path)")
      let wanted = try #require(expected.first { command.contains($0.part) }).rows
      #expect(try other.psql("SELECT count(*) FROM t", database: name) == wanted, "\(adapted)")
      try other.psql("DROP DATABASE \(name)")
    }
    #expect(done >= 10)

    // The exit codes that PostgreSQL decides by.
    let config = directory.file("restored1.pgkeep/wal-fetch.json")
    let fetch = "restore wal-fetch --config \(config)"
    #expect(try shell("\(fetch) 00000001000000AA000000AA out").ending == .exited(1))
    #expect(try shell("\(fetch) 00000009.history out").ending == .exited(1))
    try Command.check("mv", [directory.file("store"), directory.file("gone")])
    #expect(try shell("\(fetch) 000000010000000000000001 out").ending == .exited(126))
    #expect(
      try shell("restore wal-fetch --config none 000000010000000000000001 out").ending
        == .exited(126))
    // Wrong words are said, and nothing is begun.
    for (arguments, code) in [
      ("--at '2026-11-22 14:30' --data-directory x", 2), ("--latest", 2),
      ("--latest --lsn 0/1 --data-directory x", 2), ("--lsn nine --data-directory x", 2),
    ] {
      let result = try shell("restore cluster \(arguments)")
      #expect(result.exitCode == Int32(code), "\(arguments): \(result.errorText)")
    }
  }

  private func wait(
    _ what: String, _ process: RunningCommand, _ isThere: () throws -> Bool
  ) throws {
    let limit = ContinuousClock.now + .seconds(60)
    while try !isThere() {
      guard ContinuousClock.now < limit, process.isRunning else {
        throw TestSupportError("no sign of \(what): \(process.errorTextSoFar)")
      }
      usleep(100_000)
    }
  }
}
