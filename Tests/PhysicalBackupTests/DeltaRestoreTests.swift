import ByteStream
import Crypto
import Foundation
import Glibc
import ObjectStore
import Postgres
import Repository
import Synchronization
import TestSupport
import Testing

@testable import PhysicalBackup

/// `restore cluster --delta`: into a data directory that is there.
@Suite struct DeltaRestoreTests {
  private let directory: TestDirectory
  private let cluster: TemporaryCluster
  private let store: CountingStore
  private let base: BaseManifest

  private var space: String { directory.file("space") }
  private var user: String? { geteuid() == 0 ? "postgres" : nil }

  /// A cluster with a tablespace, a base backup of it, and changes since.
  init() throws {
    directory = try TestDirectory()
    cluster = try TemporaryCluster(
      15, ClusterOptions(settings: ["full_page_writes": "on", "autovacuum": "off"]))
    try Command.check("mkdir", [directory.file("space")])
    try PhysicalTesting.giveToPostgres(directory.path)
    try cluster.psql("CREATE TABLESPACE fast LOCATION '\(directory.file("space"))'")
    try cluster.psql(
      """
      CREATE TABLE quiet AS SELECT g AS id, repeat(md5(g::text), 8) FROM generate_series(1, 5e4) g;
      CREATE TABLE busy TABLESPACE fast AS SELECT g AS id FROM generate_series(1, 1000) g;
      CREATE TABLE gone (id int)
      """)
    store = CountingStore(try DirectoryStore(path: directory.file("store")))
    base = try BaseBackup(
      ConnectionTarget(cluster.url()), to: store, environment: "test"
    ).run(cancellation: Cancellation())
    try cluster.psql(
      """
      UPDATE busy SET id = -id;
      DROP TABLE gone;
      CREATE TABLE new (id int);
      CREATE TABLE new_here TABLESPACE fast AS SELECT 1
      """)
  }

  private func restore(
    _ change: (inout ClusterRestore.Options) -> Void = { _ in }
  ) throws -> ClusterRestore.Report {
    let catalog = try PhysicalCatalog(store, environment: "test")
    let plan = try RecoveryPlanner(catalog).plan(.latest)
    var options = ClusterRestore.Options(
      dataDirectory: cluster.dataDirectory, restoreCommand: "false")
    options.isDelta = true
    options.owner = user
    options.syncs = false
    change(&options)
    return try ClusterRestore(catalog, options: options).run(plan, cancellation: Cancellation())
  }

  /// Compares every file with the server's own manifest.
  private func expectTheBackupsFiles() throws {
    let bytes = try store.readAll(base.serverManifest.key, limit: 1 << 24)
    let manifest = try ServerManifest(SmallGzip.decompress(bytes, key: ""))
    let oid = try #require(base.tablespaces.first).oid
    for file in manifest.files where file.path != "postgresql.auto.conf" {
      let prefix = "pg_tblspc/\(oid)/"
      let path =
        file.path.hasPrefix(prefix)
        ? space + "/" + file.path.dropFirst(prefix.count)
        : cluster.dataDirectory + "/" + file.path
      let content = FileManager.default.contents(atPath: path).map { Array($0) }
      #expect(try content.map { try Digest.hash(.sha256, $0) } == file.sha256, "\(file.path)")
    }
    let names = try FileManager.default.subpathsOfDirectory(atPath: cluster.dataDirectory)
    #expect(names.filter { $0.contains("pgkeep") }.isEmpty)
  }

  private func expectTheRowsOfTheBackup() throws {
    try cluster.start()
    #expect(
      try cluster.psql("SELECT count(*), min(id) FROM busy; SELECT count(*) FROM quiet, gone")
        == "1000|1\n0")
    #expect(try cluster.psql("SELECT count(*) FROM quiet") == "50000")
    #expect(try cluster.psql("SELECT to_regclass('new'), to_regclass('new_here')") == "|")
    try cluster.stop()
  }

  @Test func onlyWhatDiffersIsFetched() throws {
    // While the server runs nothing is touched.
    let running = #expect(throws: PhysicalBackupError.self) { try restore() }
    #expect(running?.message.contains("a server runs on") ?? false, "\(running as Any)")
    #expect(try cluster.psql("SELECT 1") == "1")
    try cluster.stop()

    // A file with one other byte, of the same size and time.
    let data = cluster.dataDirectory
    let victim = data + "/base/1/PG_VERSION"
    let time = try FileManager.default.attributesOfItem(atPath: victim)[.modificationDate]
    let handle = try #require(FileHandle(forWritingAtPath: victim))
    try handle.write(contentsOf: Data("9".utf8))
    try handle.close()
    try FileManager.default.setAttributes(
      [.modificationDate: try #require(time)], ofItemAtPath: victim)
    // What is not the backup's: a file, a folder, links to the outside, also in place of a folder.
    try Command.check("mkdir", ["-p", directory.file("outside/sub"), data + "/mine/deeper"])
    try directory.write("dear", to: "outside/sub/file")
    try Command.check("touch", [data + "/mine/deeper/file", data + "/base/1/99999"])
    try Command.check("ln", ["-s", directory.file("outside"), data + "/mine/link"])
    try Command.check("mv", [data + "/pg_xact", directory.file("outside/pg_xact")])
    try Command.check("ln", ["-s", directory.file("outside/pg_xact"), data + "/pg_xact"])
    // Next to the cluster's own folder in the tablespace.
    try directory.write("dear", to: "space/PG_14_of_another_cluster")
    try PhysicalTesting.giveToPostgres(data + "/mine")

    store.reset()
    let report = try restore()
    let delta = try #require(report.delta)
    let archives = base.archives.reduce(0) { $0 + $1.size }
    #expect(delta.keptBytes > report.bytes / 2)
    #expect(delta.keptBytes + delta.rewrittenBytes == report.bytes)
    #expect(delta.removedFiles > 3)
    #expect(store.archiveBytes == report.fetchedBytes)
    // The large table's members are not asked for.
    #expect(report.fetchedBytes < archives - 1_000_000, "\(report.fetchedBytes) of \(archives)")
    #expect(report.remarks.contains { $0.contains("pg_xact was a link to") })
    try expectTheBackupsFiles()
    #expect(!FileManager.default.fileExists(atPath: data + "/mine"))
    #expect(try directory.read("outside/sub/file") == Array("dear".utf8))
    #expect(try directory.read("space/PG_14_of_another_cluster") == Array("dear".utf8))
    #expect(FileManager.default.fileExists(atPath: directory.file("outside/pg_xact/0000")))

    // The same again: next to nothing is left to do.
    let again = try restore()
    #expect(try #require(again.delta).rewrittenBytes < 32 << 20)
    #expect(try #require(again.delta).removedFiles == 1)  // recovery.signal
    try expectTheBackupsFiles()
    try expectTheRowsOfTheBackup()
  }

  @Test func whateverItDiesOfItCanBeRunAgain() throws {
    try cluster.crash()
    try Command.check("rm", ["-f", cluster.dataDirectory + "/postmaster.pid"])
    let control = cluster.dataDirectory + "/global/pg_control"
    // The store dies at each of its first reads: before the comparison nothing is touched.
    var failures = 0
    for number in 0..<40 {
      store.failRead(number)
      do {
        _ = try restore { $0.jobs = 1 }
        break
      } catch {
        failures += 1
        let isWhole = FileManager.default.fileExists(atPath: control)
        let isBegun = FileManager.default.fileExists(
          atPath: cluster.dataDirectory + "/pgkeep.restoring")
        #expect(isWhole != isBegun, "read \(number): \(error)")
      }
    }
    #expect(failures > 3)
    store.failRead(nil)
    _ = try restore()
    try expectTheBackupsFiles()

    // Killed at moments of its own choice.
    var random = SeededGenerator()
    for _ in 0..<(PhysicalTesting.runsAll ? 30 : 4) {
      var arguments = [
        "cluster", "--latest", "--delta", "--data-directory", cluster.dataDirectory,
      ]
      if let user { arguments += ["--owner", user] }
      let run = try Command.start(
        BuiltExecutable.restore, arguments,
        environment: [
          "BACKUP_STORE": "file://" + directory.file("store"), "ENVIRONMENT": "test",
        ])
      usleep(UInt32.random(in: 0...600_000, using: &random))
      run.kill()
      _ = try run.wait(timeout: .seconds(60))
      // Half of what is there is of another time.
      try? FileManager.default.removeItem(atPath: cluster.dataDirectory + "/base/1")
    }
    _ = try restore()
    try expectTheBackupsFiles()
    try expectTheRowsOfTheBackup()
  }

  @Test func anUnfinishedRestoreIsTakenUp() throws {
    let place = directory.file("elsewhere")
    let mapping = [space: directory.file("other-space")]
    store.failRead(6)
    #expect(throws: (any Error).self) {
      try restore {
        $0.isDelta = false
        $0.jobs = 1
        $0.dataDirectory = place
        $0.tablespaces = mapping
      }
    }
    store.failRead(nil)
    let report = try restore {
      $0.dataDirectory = place
      $0.tablespaces = mapping
    }
    #expect(report.delta != nil)
    #expect(FileManager.default.fileExists(atPath: place + "/global/pg_control"))
    // The source's own tablespace was not touched.
    #expect(try cluster.psql("SELECT min(id) FROM busy") == "-1000")
  }

  @Test func whatIsNotThisClusterIsLeftAlone() throws {
    try cluster.stop()
    // A folder of somebody's.
    try Command.check("mkdir", [directory.file("home")])
    try directory.write("dear", to: "home/letter")
    var error = #expect(throws: PhysicalBackupError.self) {
      try restore { $0.dataDirectory = directory.file("home") }
    }
    #expect(error?.message.contains("holds no cluster") ?? false)
    // Another cluster.
    let other = try TemporaryCluster(15)
    try other.stop()
    error = #expect(throws: PhysicalBackupError.self) {
      try restore { $0.dataDirectory = other.dataDirectory }
    }
    #expect(error?.message.contains("holds cluster") ?? false)
    // A tablespace that would go over somebody's files, or into the data directory.
    error = #expect(throws: PhysicalBackupError.self) {
      try restore { $0.tablespaces = [space: directory.file("home")] }
    }
    #expect(error?.message.contains("is no tablespace of the cluster") ?? false)
    error = #expect(throws: PhysicalBackupError.self) {
      try restore { $0.tablespaces = [space: cluster.dataDirectory + "/space"] }
    }
    #expect(error?.message.contains("cannot both be restored to") ?? false)
    // Without --delta a directory that is not empty is refused, as ever.
    error = #expect(throws: PhysicalBackupError.self) { try restore { $0.isDelta = false } }
    #expect(error?.message.contains("--delta") ?? false)
    #expect(try directory.read("home/letter") == Array("dear".utf8))
    try other.start()
    try cluster.start()
    #expect(try cluster.psql("SELECT min(id) FROM busy") == "-1000")
  }
}

/// A store that counts what is read of archives, and fails when it is told to.
private final class CountingStore: ObjectStore, Sendable {
  private struct State {
    var archiveBytes = 0
    var failing: Int?
  }

  private let base: DirectoryStore
  private let state = Mutex(State())

  init(_ base: DirectoryStore) { self.base = base }

  var archiveBytes: Int { state.withLock { $0.archiveBytes } }
  func reset() { state.withLock { $0.archiveBytes = 0 } }
  /// After so many reads all others fail.
  func failRead(_ number: Int?) { state.withLock { $0.failing = number } }

  func read(
    _ key: String, range: Range<Int>?, cancellation: Cancellation,
    _ body: (UnsafeRawBufferPointer) throws -> Void
  ) throws {
    let fails = state.withLock { state in
      guard let left = state.failing else { return false }
      state.failing = left - 1
      return left <= 0
    }
    if fails { throw ObjectStoreError(.unreachable, "the test says so", key: key) }
    try base.read(key, range: range, cancellation: cancellation) { bytes in
      if key.contains(".tar") { state.withLock { $0.archiveBytes += bytes.count } }
      try body(bytes)
    }
  }

  var description: String { base.description }
  func put(_ key: String, _ bytes: [UInt8], options: PutOptions) throws {
    try base.put(key, bytes, options: options)
  }
  func writer(_ key: String, options: WriteOptions) throws -> any ByteSink {
    try base.writer(key, options: options)
  }
  func info(_ key: String) throws -> ObjectInfo? { try base.info(key) }
  func list(prefix: String, _ body: (ObjectInfo) throws -> Void) throws {
    try base.list(prefix: prefix, body)
  }
  func delete(_ keys: [String]) throws { try base.delete(keys) }
  func unfinished(prefix: String) throws -> [UnfinishedWrite] {
    try base.unfinished(prefix: prefix)
  }
  func discard(_ write: UnfinishedWrite) throws { try base.discard(write) }
  func clock() throws -> UTCTime { try base.clock() }
}
