import ByteStream
import Foundation
import ObjectStore
import Postgres
import Repository
import TestSupport
import Testing

@testable import PhysicalBackup

@Suite struct BaseBackupTests {
  @Test(arguments: PhysicalTesting.majors)
  func whatIsStoredPassesTheServersOwnVerification(major: Int) throws {
    let cluster = try TemporaryCluster(major)
    let directory = try TestDirectory()
    try PhysicalTesting.giveToPostgres(directory.path)
    // A tablespace, a file with an odd name, a table of several members.
    try Command.check("mkdir", [directory.file("space")])
    try PhysicalTesting.giveToPostgres(directory.file("space"))
    try cluster.psql("CREATE TABLESPACE fast LOCATION '\(directory.file("space"))'")
    try cluster.psql(
      """
      CREATE TABLE t TABLESPACE fast AS SELECT g AS id, md5(g::text) FROM generate_series(1, 2e5) g
      """)
    let store = try DirectoryStore(path: directory.file("store"))
    let backup = try BaseBackup(
      ConnectionTarget(cluster.url()), to: store, environment: "test")
    let manifest = try backup.run(cancellation: Cancellation())
    #expect(manifest.server.major == major)
    #expect(manifest.archives.count == 2)
    #expect(manifest.tablespaces.count == 1)
    #expect(manifest.startPosition < manifest.endPosition)
    // As pg_basebackup -Ft -z would have left it: gunzip and tar take it apart.
    let plain = directory.file("plain")
    for object in manifest.archives {
      let file = directory.file("store/" + object.key)
      let isBase = object.key.hasSuffix("/base.tar.gz")
      let place =
        isBase ? plain : plain + "/pg_tblspc/" + (manifest.tablespaces.first?.oid ?? "none")
      try Command.check("mkdir", ["-p", place])
      try Command.check("sh", ["-c", "gunzip -c '\(file)' | tar -x -C '\(place)' -f -"])
    }
    let layout = ClusterLayout(
      environment: "test", systemIdentifier: manifest.server.systemIdentifier)
    let bytes = try store.readAll(layout.serverManifestKey(manifest.id), limit: 1 << 24)
    let serverManifest = try SmallGzip.decompress(bytes, key: "")
    try directory.write(serverManifest, to: "plain/backup_manifest")
    let verified = try cluster.run("pg_verifybackup", ["-n", plain])
    #expect(verified.ending == .exited(0), "\(verified.errorText)")
    // The index says where each file lies.
    let index = try BaseIndex(
      decoding: SmallGzip.decompress(
        store.readAll(layout.indexKey(manifest.id), limit: 1 << 24), key: ""), key: "")
    let files = Set(index.archives.flatMap(\.entries).filter { $0.kind == .file }.map(\.path))
    #expect(files.contains("global/pg_control"))
    #expect(files.contains("backup_label"))
    #expect(
      index.archives.map { $0.members.reduce(0) { $0 + $1.plain } }
        == manifest.archives.map(\.plainSize))
    #expect(try BaseManifest(decoding: manifest.encoded(), key: "") == manifest)
  }

  @Test func aServerManifestThatWasChangedIsRefused() throws {
    // Not the shared one: a database that is dropped meanwhile ends a server's base backup.
    let cluster = try TemporaryCluster(15)
    let directory = try TestDirectory()
    let store = try DirectoryStore(path: directory.path)
    let manifest = try BaseBackup(
      ConnectionTarget(cluster.url()), to: store, environment: "test"
    ).run(cancellation: Cancellation())
    var bytes = try SmallGzip.decompress(
      store.readAll(manifest.serverManifest.key, limit: 1 << 24), key: "")
    #expect(try ServerManifest(bytes).files.count > 900)
    bytes[200] ^= 1
    #expect(throws: PhysicalBackupError.self) { try ServerManifest(bytes) }
  }

  @Test func aCancelledBackupIsNotVisible() throws {
    let cluster = try TemporaryCluster.shared(15)
    let directory = try TestDirectory()
    let store = try DirectoryStore(path: directory.path)
    let cancellation = Cancellation()
    var options = BaseBackup.Options()
    options.maxRate = 1024
    JobThread.start("cancel") {
      usleep(500_000)
      cancellation.cancel(reason: "the test says so")
    }
    #expect(throws: (any Error).self) {
      _ = try BaseBackup(
        ConnectionTarget(cluster.url()), to: store, environment: "test", options: options
      ).run(cancellation: cancellation)
    }
    #expect(try store.list(prefix: "").filter { $0.key.hasSuffix(".json") }.isEmpty)
  }
}
