import Foundation
import Glibc
import TestSupport
import Testing

/// `backup wal` under systemd, and `backup wal-push` under PostgreSQL.
@Suite struct WALServiceTests {
  /// A socket as systemd makes it, that gathers what a service says.
  private final class Manager {
    let path: String
    private let socket: Int32
    private(set) var said: [String] = []

    init(_ directory: TestDirectory) throws {
      path = directory.file("notify")
      socket = Glibc.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
      var address = sockaddr_un()
      address.sun_family = sa_family_t(AF_UNIX)
      withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
      let bound = withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          bind(socket, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
        }
      }
      guard bound == 0 else { throw TestSupportError("no socket: \(errno)") }
    }

    deinit { close(socket) }

    /// Waits until the service has said something.
    func wait(_ word: String) throws {
      let limit = ContinuousClock.now + .seconds(60)
      var buffer = [UInt8](repeating: 0, count: 4096)
      while !said.contains(where: { $0.contains(word) }) {
        guard ContinuousClock.now < limit else { throw TestSupportError("no \(word): \(said)") }
        let count = recv(socket, &buffer, buffer.count, Int32(MSG_DONTWAIT))
        if count > 0 {
          said.append(String(decoding: buffer[..<count], as: UTF8.self))
        } else {
          usleep(20_000)
        }
      }
    }
  }

  @Test func theReceiverTellsItsManagerHowItIs() throws {
    let cluster = try TemporaryCluster(15)
    let directory = try TestDirectory()
    let manager = try Manager(directory)
    let receiver = try Command.start(
      BuiltExecutable.backup, ["wal", "--tail-interval", "1"],
      environment: [
        "DATABASE_URL": cluster.url(), "BACKUP_STORE": "file://" + directory.file("store"),
        "NOTIFY_SOCKET": manager.path,
      ])
    defer { receiver.kill() }
    try manager.wait("READY=1\nSTATUS=streaming WAL of timeline 1")
    try manager.wait("WATCHDOG=1")
    // The server is gone: the service lives, and says what it waits for.
    try cluster.crash()
    try manager.wait("next attempt")
    try cluster.start()
    receiver.signal(SIGTERM)
    let ended = try receiver.wait(timeout: .seconds(240))
    #expect(ended.ending == .exited(0), "\(ended.errorText)")
    try manager.wait("STOPPING=1")
  }

  @Test func theUnitIsWhatSystemdAccepts() throws {
    let installation = try CronInstallation()
    let text = try installation.text("pgkeep-wal@.service")
    #expect(SystemdUnit.values("Type", in: text) == ["notify"])
    try installation.directory.write(
      text.replacingOccurrences(of: "User=pgkeep\n", with: ""), to: "units/pgkeep-wal@.service")
    let result = try Command.run(
      "systemd-analyze", ["verify", "--man=no", "pgkeep-wal@service.service"],
      environment: ["SYSTEMD_UNIT_PATH": installation.directory.file("units") + ":"])
    #expect(result.exitCode == 0)
    #expect(result.errorText == "")
  }

  @Test func anArchiveCommandFillsTheArchive() throws {
    let directory = try TestDirectory()
    let cluster = try TemporaryCluster(
      15, ClusterOptions(settings: ["archive_mode": "on", "wal_keep_size": "1GB"]))
    try Command.check("cp", [BuiltExecutable.backup, directory.file("backup")])
    if geteuid() == 0 { try Command.check("chown", ["-R", "postgres:", directory.path]) }
    let store = "file://" + directory.file("store")
    let push = "\(directory.file("backup")) wal-push --quiet --store \(store)"
    try cluster.psql("ALTER SYSTEM SET archive_command = '\(push) \"%p\"'")
    try cluster.psql("SELECT pg_reload_conf()")
    try cluster.psql("CREATE TABLE t AS SELECT g FROM generate_series(1, 1000) g")
    try cluster.psql("SELECT pg_create_restore_point('here')")
    let name = try cluster.psql("SELECT pg_walfile_name(pg_switch_wal())")
    let limit = ContinuousClock.now + .seconds(60)
    while try cluster.psql("SELECT last_archived_wal >= '\(name)' FROM pg_stat_archiver") != "t" {
      guard ContinuousClock.now < limit else {
        throw TestSupportError(
          try cluster.psql("SELECT * FROM pg_stat_archiver"))
      }
      usleep(100_000)
    }
    let backup = Tool.backup.with([
      "BACKUP_STORE": store, "DATABASE_URL": cluster.url(),
    ])
    try backup("base").expectSuccess()
    try backup("verify", "--cluster").expectSuccess()
    #expect(try backup("list").text.contains("every moment can be restored on"))
    // What is stored already is no error, as after a crash; something else under its name is.
    let file = cluster.dataDirectory + "/pg_wal/" + name
    #expect(try backup("wal-push", "--json", file).json()["outcome"] as? String == "was there")
    let copy = directory.file("pg_wal/" + name)
    try directory.write(
      [UInt8](try Data(contentsOf: URL(fileURLWithPath: file))), to: "pg_wal/\(name)")
    let handle = try #require(FileHandle(forUpdatingAtPath: copy))
    try handle.seek(toOffset: 5_000_000)
    try handle.write(contentsOf: [1, 2, 3])
    try handle.close()
    try backup("wal-push", copy).expectFailure(1, "has another")
    try Command.check("truncate", ["-s", "1000000", copy])
    try backup("wal-push", copy).expectFailure(1, "ends after 1000000 bytes")
    try directory.write("none", to: "pg_wal/000000010000000000000099")
    try backup("wal-push", directory.file("pg_wal/000000010000000000000099"))
      .expectFailure(1, "not the WAL segment")
  }
}
