import Foundation
import Glibc
import Repository
import TestSupport
import Testing

/// What goes wrong with a directory store, and with what is stored.
@Suite struct StoreFaultTests {
  /// A file system of its own of that many MB; only root may make one.
  private final class SmallDisk {
    let directory: TestDirectory
    private let isMounted: Bool

    init?(megabytes: Int) throws {
      directory = try TestDirectory()
      let result = try Command.run(
        "mount", ["-t", "tmpfs", "-o", "size=\(megabytes)m", "none", directory.path])
      isMounted = result.exitCode == 0
      if !isMounted { return nil }
    }

    /// Whether this machine lets us mount one: a container may forbid it even to root.
    static let isPossible = ((try? SmallDisk(megabytes: 1)) ?? nil) != nil

    deinit { if isMounted { _ = try? Command.run("umount", [directory.path]) } }
  }

  @Test(.enabled(if: SmallDisk.isPossible, "this machine lets us mount no small disk"))
  func fullDisk() throws {
    let bench = try Bench(rows: 60_000)
    let disk = try #require(try SmallDisk(megabytes: 1))
    let backup = bench.backup.with(["BACKUP_STORE": "file://\(disk.directory.path)"])
    try backup("run").expectFailure(1, "no space is left")
    let list = try backup("list", "--json").json()
    #expect((list["backups"] as? [Any])?.isEmpty == true)
    // What was begun is gone, and the space is free again.
    let files = try Command.check("find", [disk.directory.path, "-type", "f"])
    #expect(files.text.isEmpty)
    try bench.expectNoSessions()
    try Command.check("mount", ["-o", "remount,size=64m", disk.directory.path])
    try backup("run").expectSuccess()
  }

  @Test func aFileThatMayNotGrow() throws {
    let bench = try Bench(rows: 60_000)
    // A limit of 400 kB on each file.
    let run = try Command.run(
      "/bin/bash", ["-c", "ulimit -f 400; exec \(BuiltExecutable.backup) run"],
      environment: bench.variables)
    try Tool.Outcome(result: run).expectFailure(1, "ulimit")
    #expect(try bench.repository.catalog().entries.isEmpty)
    #expect(try bench.repository.catalog().leftovers.isEmpty)
    try bench.backup("run").expectSuccess()
  }

  @Test func unwritableStore() throws {
    let bench = try Bench(rows: 10)
    chmod(bench.directory.path, 0o555)
    let run = try Command.run(
      BuiltExecutable.backup, ["run"], environment: bench.variables, asPostgres: true)
    try Tool.Outcome(result: run).expectFailure(8, bench.directory.path)
    let missing = try bench.backup.with(["BACKUP_STORE": "file:///proc/no/such/place"])("run")
    try missing.expectFailure(missing.code, "/proc/no")
    #expect(missing.code == 1 || missing.code == 8)
    chmod(bench.directory.path, 0o777)
    let again = try Command.run(
      BuiltExecutable.backup, ["run"], environment: bench.variables, asPostgres: true)
    #expect(again.exitCode == 0, "\(again.errorText)")
    try bench.expectNoSessions()
  }

  @Test func truncatedBackup() throws {
    let bench = try Bench()
    try bench.backup("run").expectSuccess()
    let file = try bench.newestFile()
    let whole = try Data(contentsOf: URL(fileURLWithPath: file))
    let id = try #require(try bench.repository.catalog().entries.last?.id)
    for length in [0, 1, whole.count / 2, whole.count - 1] {
      try whole.prefix(length).write(to: URL(fileURLWithPath: file))
      // By its path, there is no manifest to compare with.
      let byPath = try bench.restore(file)
      #expect(byPath.code != 0)
      #expect(try byPath.errors().count == 1)
      try bench.restore("\(id)").expectFailure(4, "\(id)")
      try bench.restore("latest").expectFailure(3)
      #expect(try bench.backup("list").text.contains("NOT USABLE"))
      #expect(try bench.restored().isEmpty)
    }
    try bench.expectNoSessions()
    try whole.write(to: URL(fileURLWithPath: file))
    try bench.restore("latest", "--verify").expectSuccess()
  }

  @Test func flippedBit() throws {
    let bench = try Bench()
    try bench.backup("run").expectSuccess()
    let file = try bench.newestFile()
    let whole = try Data(contentsOf: URL(fileURLWithPath: file))
    // In the first member, in the middle of the rows, in the index, in the end member.
    for offset in [300, whole.count / 2, whole.count - 200, whole.count - 20] {
      var damaged = whole
      damaged[offset] ^= 0x10
      try damaged.write(to: URL(fileURLWithPath: file))
      try bench.backup("verify").expectFailure(4, "SHA-256")
      let restore = try bench.restore("latest", "--verify")
      try restore.expectFailure(restore.code)
      #expect(restore.code == 4 || restore.code == 1, "\(offset): \(restore.errorText)")
      #expect(try bench.restored().isEmpty)
    }
    try bench.expectNoSessions()
    #expect(try bench.backup("list").text.contains("FAILED VERIFICATION"))
    try whole.write(to: URL(fileURLWithPath: file))
    sleep(1)
    try bench.backup("verify").expectSuccess()
    #expect(try bench.backup("list").text.contains("complete, verified just now"))
    try bench.restore("latest", "--verify").expectSuccess()
  }

  @Test func aManifestThatIsRefusedLeavesNothing() throws {
    let bench = try Bench(rows: 10)
    let server = try S3Server.shared()
    let proxy = try HTTPFaultProxy(to: server.port)
    let bucket = try server.createBucket()
    let backup = bench.backup.with(server.environment).with([
      "BACKUP_STORE": "s3://\(bucket)", "BACKUP_S3_ENDPOINT": proxy.endpoint,
    ])
    proxy.add(.s3Error(403, "AccessDenied")) { $0.method == "PUT" && $0.target.contains(".json") }
    try backup("run").expectFailure(8, "AccessDenied")
    #expect(proxy.requests.contains { $0.method == "PUT" && $0.target.contains(".sql.gz") })
    #expect(proxy.requests.contains { $0.method == "DELETE" || $0.target.contains("delete") })
    proxy.clear()
    let list = try backup("list", "--json").json()
    #expect((list["backups"] as? [Any])?.isEmpty == true)
    #expect((list["leftovers"] as? [Any])?.isEmpty == true, "\(list)")
    try backup("run").expectSuccess()
  }

  @Test func vanishedObject() throws {
    let bench = try Bench(rows: 10)
    try bench.backup("run").expectSuccess()
    let first = try #require(try bench.repository.catalog().entries.last?.id)
    sleep(1)
    try bench.backup("run").expectSuccess()
    try FileManager.default.removeItem(atPath: bench.newestFile())
    // The newest is no backup any more; the one before is the latest whole one.
    #expect(try bench.backup("list").text.contains("NOT USABLE"))
    let restore = try bench.restore("latest", "--json")
    restore.expectSuccess()
    #expect(try restore.json()["backup"] as? String == "\(first)")
  }
}
