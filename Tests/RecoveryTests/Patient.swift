import ByteStream
import Foundation
import LogicalBackup
import ObjectStore
import Postgres
import Repository
import TestSupport

@testable import Recovery

/// A database and a store for the doctor to look at.
struct Patient {
  let cluster: TemporaryCluster
  let database: TemporaryDatabase
  let directory: TestDirectory
  var options = Doctor.Options()
  var store: StoreConfiguration
  var url: String

  /// - Parameter cluster: the shared one when nil.
  init(_ cluster: TemporaryCluster? = nil) throws {
    self.cluster = try cluster ?? TemporaryCluster.shared(15)
    database = try self.cluster.createDatabase(named: "patient")
    directory = try TestDirectory()
    store = StoreConfiguration(location: .directory(path: directory.path))
    url = database.url
    options.limit = .seconds(20)
    try database.psql("CREATE TABLE t (id int PRIMARY KEY, note text); INSERT INTO t VALUES (1)")
  }

  /// The same with its store in a bucket.
  mutating func useBucket(_ server: S3Server, _ bucket: String, port: Int? = nil) {
    var settings = S3Settings(
      endpoint: "http://127.0.0.1:\(port ?? server.port)", region: server.region)
    settings.firstRetryDelay = 0.01
    store = StoreConfiguration(
      location: .s3(bucket: bucket, prefix: "deep/down"), s3: settings,
      credentials: Credentials(accessKey: server.accessKey, secretKey: server.secretKey))
  }

  func examine(_ only: String...) throws -> HealthReport {
    var options = options
    if !only.isEmpty { options.only = only }
    return try Doctor(
      ConnectionTarget(url), store: store, environment: "test", options: options
    ).examine(cancellation: Cancellation())
  }

  var repository: BackupRepository {
    get throws { BackupRepository(try store.open(), environment: "test") }
  }

  @discardableResult
  func backUp() throws -> Manifest {
    try BackupTaker(
      ConnectionTarget(url), into: repository, .init(tool: "test"), cancellation: Cancellation()
    ) { _ in }.take()
  }

  /// Writes a whole backup that was begun so long ago.
  func backUp(secondsAgo: Int64) throws -> Manifest {
    let repository = try repository
    var manifest = try backUp()
    let key = manifest.names.dataKey(encrypted: false)
    let bytes = try repository.store.readAll(key, limit: 1 << 24)
    try repository.store.delete([key, manifest.names.manifestKey])
    let time = UTCTime.now().adding(seconds: -secondsAgo)
    let names = try repository.newBackup(of: database.name, at: time)
    let newKey = names.dataKey(encrypted: false)
    try repository.store.put(newKey, bytes)
    manifest.id = names.id
    manifest.object.name = String(newKey.split(separator: "/").last ?? "")
    manifest.started = time
    manifest.finished = time.adding(seconds: 60)
    try repository.writeManifest(manifest)
    // Ages go by the store's clock, which for a folder is the files' own times.
    for key in [newKey, names.manifestKey] {
      try FileManager.default.setAttributes(
        [.modificationDate: Date(timeIntervalSince1970: Double(time.milliseconds) / 1000 + 60)],
        ofItemAtPath: directory.file(key))
    }
    return manifest
  }

  /// Keys of probes that were left.
  func probes() throws -> [String] {
    try store.open().list(prefix: "").map(\.key).filter { $0.contains(".doctor") }
  }
}
