import Foundation
import Glibc
import TestSupport
import Testing

/// `restore drill`: recovery is proven without a person.
@Suite struct DrillTests {
  private let directory: TestDirectory
  private let cluster: TemporaryCluster
  private let environment: [String: String]

  init() throws {
    directory = try TestDirectory()
    // PostgreSQL's user runs the temporary server's restore_command.
    try Command.check("mkdir", [directory.file("bin"), directory.file("work")])
    for tool in [BuiltExecutable.backup, BuiltExecutable.restore] {
      try Command.check("cp", [tool, directory.file("bin")])
    }
    cluster = try TemporaryCluster(15)
    environment = [
      "DATABASE_URL": cluster.url(), "BACKUP_STORE": "file://" + directory.file("store"),
      "PATH": directory.file("bin") + ":/usr/local/bin:/usr/bin:/bin",
    ]
    if geteuid() == 0 { try Command.check("chown", ["-R", "postgres:", directory.path]) }
    try cluster.psql(
      "CREATE DATABASE shop; CREATE TABLE t AS SELECT g AS id FROM generate_series(1, 1000) g")
    try cluster.psql(
      "CREATE TABLE orders (id int PRIMARY KEY); INSERT INTO orders SELECT generate_series(1, 500)",
      database: "shop")
    _ = try run("backup", "base")
  }

  private func run(_ tool: String, _ arguments: String...) throws -> CommandResult {
    let result = try Command.run(
      directory.file("bin/" + tool), arguments, environment: environment,
      directory: directory.path, asPostgres: true, timeout: .seconds(180))
    return result
  }

  private func drill() throws -> (code: Int32?, report: [String: Any]) {
    let result = try run("restore", "drill", "--json", "--work-directory", directory.file("work"))
    let value = try JSONSerialization.jsonObject(with: Data(result.output))
    return (
      result.exitCode, try #require(value as? [String: Any], "\(result.text)\(result.errorText)")
    )
  }

  @Test func aDrillProvesRecoveryAndLeavesNothing() throws {
    var (code, report) = try drill()
    #expect(code == 0, "\(report)")
    #expect(report["passed"] as? Bool == true)
    #expect((report["recovery_seconds"] as? Double ?? 0) > 0)
    #expect(report["pages_checked"] as? Bool == true, "\(report["remarks"] ?? "")")
    let databases = try #require(report["databases"] as? [[String: Any]])
    let rows = databases.map { "\($0["name"] ?? "") \($0["rows"] ?? "")" }
    #expect(rows.contains("shop 500") && rows.contains("postgres 1000"), "\(rows)")
    #expect(try directory.names(in: "work").isEmpty)
    let key = try #require(report["key"] as? String)
    #expect(key.hasSuffix("-passed.json"))
    #expect(try directory.read("store/" + key).first == UInt8(ascii: "{"))
    #expect(try run("backup", "list").text.contains("passed just now"))

    // Killed while its server runs, it is run again, and that server is gone.
    let killed = try Command.start(
      directory.file("bin/restore"), ["drill", "--work-directory", directory.file("work")],
      environment: environment, directory: directory.path, asPostgres: true)
    var server: Int32?
    while server == nil, killed.isRunning {
      for name in try directory.names(in: "work") where !name.hasSuffix(".lock") {
        let file = "work/\(name)/cluster/data/postmaster.pid"
        let lines = (try? directory.read(file)).map { String(decoding: $0, as: UTF8.self) }
        server = lines?.split(separator: "\n").first.flatMap { Int32($0) }
      }
      usleep(5000)
    }
    killed.kill()
    _ = try killed.wait(timeout: .seconds(60))
    #expect(server != nil)
    (code, report) = try drill()
    #expect(code == 0 && report["passed"] as? Bool == true, "\(report)")
    if let server {
      let limit = ContinuousClock.now + .seconds(60)
      while isAlive(server), ContinuousClock.now < limit { usleep(20_000) }
      #expect(!isAlive(server))
    }
    #expect(try directory.names(in: "work").isEmpty)
  }

  /// One that has ended may still wait to be asked how.
  private func isAlive(_ process: Int32) -> Bool {
    guard let text = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8) else {
      return false
    }
    return !text.contains(") Z ")
  }

  @Test func whatCannotBeRecoveredFailsTheDrill() throws {
    let files = try FileManager.default.subpathsOfDirectory(atPath: directory.file("store"))
    let archive = try #require(files.first { $0.hasSuffix("base.tar.gz") })
    let handle = try #require(FileHandle(forUpdatingAtPath: directory.file("store/" + archive)))
    let size = try handle.seekToEnd()
    try handle.seek(toOffset: size / 2)
    try handle.write(contentsOf: Data([UInt8](repeating: 0x55, count: 64)))
    try handle.close()
    let (code, report) = try drill()
    #expect(code != 0)
    #expect(report["passed"] as? Bool == false)
    #expect((report["findings"] as? [String])?.first?.contains("damaged") ?? false, "\(report)")
    #expect((report["key"] as? String)?.hasSuffix("-failed.json") ?? false)
    #expect(try directory.names(in: "work").isEmpty)
    // The base backup and what is known of it are still listed.
    let list = try run("backup", "list").text
    #expect(list.contains("BASE BACKUP") && list.contains("FAILED just now"), "\(list)")
  }

  /// The marks of those who read the cluster's backups; nil when there never was one since the last
  /// look.
  private func marks() throws -> [String]? {
    let clusters = try directory.names(in: "store/default/cluster")
    let place = "store/default/cluster/\(try #require(clusters.first))"
    guard try directory.names(in: place).contains("pins") else { return nil }
    let names = try directory.names(in: place + "/pins")
    try Command.check("rm", ["-r", directory.file(place + "/pins")])
    return names
  }

  @Test func whoReadsBaseBackupsKeepsAPruneAway() throws {
    #expect(try marks() == nil)
    #expect(try run("backup", "verify", "--cluster").exitCode == 0)
    #expect(try marks() == [])
    #expect(try drill().code == 0)
    #expect(try marks() == [])
    for (folder, start) in [("started", ["--start"]), ("unstarted", [])] {
      let place = directory.file("work/" + folder)
      let result = try Command.run(
        directory.file("bin/restore"),
        ["cluster", "--latest", "--data-directory", place, "--set", "listen_addresses="]
          + ["--set", "unix_socket_directories=" + directory.path] + start,
        environment: environment, directory: directory.path, asPostgres: true,
        timeout: .seconds(180))
      #expect(result.exitCode == 0, "\(result.errorText)")
      let left = try #require(try marks())
      if start.isEmpty {
        // The server will fetch its WAL when somebody starts it.
        #expect(left.count == 1)
      } else {
        #expect(left.isEmpty)
        try Command.check(
          cluster.binaries + "/pg_ctl", ["-D", place, "-m", "immediate", "-w", "stop"],
          asPostgres: true)
      }
    }
  }
}
