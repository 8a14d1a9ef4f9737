import Foundation
import ObjectStore
import Repository
import TestSupport

/// A directory store with backups in it that hold nothing but their names and manifests, for the
/// commands that only look at those.
struct StoredBackups {
  let directory: TestDirectory
  let repository: BackupRepository

  var variables: [String: String] { ["BACKUP_STORE": "file://\(directory.path)"] }

  init(environment: String = "default") throws {
    directory = try TestDirectory()
    repository = BackupRepository(
      try DirectoryStore(path: directory.path), environment: environment)
  }

  /// Adds a complete backup of `days` ago.
  @discardableResult
  func add(_ database: String, daysAgo days: Int, rows: Int = 3) throws -> BackupNames {
    let time = UTCTime.now().adding(days: -days)
    let names = try repository.newBackup(of: database, at: time)
    let bytes = [UInt8]("not really gzip".utf8)
    let key = names.dataKey(encrypted: false)
    try repository.store.put(key, bytes)
    let manifest = Manifest(
      names: names, tool: "0.1.0",
      server: .init(version: "15.14", versionNumber: 150014, systemIdentifier: "7"),
      properties: .init(
        encoding: "UTF8", collate: "C", ctype: "C", localeProvider: "libc", locale: nil,
        owner: "app"),
      started: time, finished: time.adding(seconds: 4),
      object: .init(
        name: String(key.split(separator: "/").last ?? ""), size: bytes.count,
        sha256: String(repeating: "0", count: 64), plainSize: bytes.count, indexOffset: 0),
      tables: [
        .init(schema: "shop", name: "orders", rows: rows, hash: "00000000000000ff", bytes: 90)
      ],
      sequences: 1, largeObjects: 0)
    try repository.writeManifest(manifest)
    // Ages are reckoned by when the store says that things were written.
    let date = Date(timeIntervalSince1970: Double(time.milliseconds) / 1000)
    for key in [key, names.manifestKey] {
      try FileManager.default.setAttributes(
        [.modificationDate: date], ofItemAtPath: directory.file(key))
    }
    return names
  }
}
