import Foundation
import ObjectStore
import Repository

/// Made-up backups for tests.
enum Sample {
  static let time = UTCTime(seconds: 1_795_312_800)  // 2026-11-22T02:00:00Z

  static func manifest(
    _ names: BackupNames, size: Int = 100, partial: Bool = false, server: String? = "7001",
    encrypted: Bool = false
  ) -> Manifest {
    let key = names.dataKey(encrypted: encrypted)
    return Manifest(
      names: names, tool: "0.1.0",
      server: .init(version: "15.14", versionNumber: 150014, systemIdentifier: server),
      properties: .init(
        encoding: "UTF8", collate: "C.UTF-8", ctype: "C.UTF-8", localeProvider: "libc",
        locale: nil, owner: "app"),
      started: names.id.time, finished: names.id.time.adding(seconds: 60),
      object: .init(
        name: String(key.split(separator: "/").last ?? ""), size: size,
        sha256: String(repeating: "ab", count: 32), plainSize: size, indexOffset: size / 2,
        encryption: encrypted ? "age" : nil),
      options: .init(partial: partial, selection: partial ? ["--table a"] : []),
      tables: [
        .init(schema: "public", name: "users", rows: 41, hash: "00ff", bytes: 1000),
        .init(schema: "public", name: "Größe", rows: 1, hash: "01", bytes: 10),
      ],
      sequences: 2, largeObjects: 0, migration: "20261122093000")
  }

  static func names(
    _ database: String = "app", at time: UTCTime = time, environment: String = "production"
  ) throws -> BackupNames {
    BackupNames(environment: environment, database: database, id: try BackupID(at: time))
  }

  /// Writes a whole backup into a store, and gives its names.
  @discardableResult
  static func backup(
    _ store: any ObjectStore, _ database: String = "app", at time: UTCTime = time,
    partial: Bool = false, server: String? = "7001"
  ) throws -> BackupNames {
    let names = try names(database, at: time)
    try store.put(names.dataKey(encrypted: false), [UInt8](repeating: 7, count: 100))
    try BackupRepository(store, environment: "production")
      .writeManifest(manifest(names, partial: partial, server: server))
    return names
  }

  /// An entry of a catalog without a store.
  static func entry(
    _ database: String = "app", at time: UTCTime, partial: Bool = false, problem: String? = nil,
    stored: UTCTime? = nil, proof passed: Bool? = nil
  ) throws -> CatalogEntry {
    let names = try names(database, at: time)
    let manifest = manifest(names, partial: partial)
    let proof = passed.map {
      Proof(
        of: names, kind: .read, time: time, tool: "0.1.0", passed: $0, tables: 2, rows: 42,
        bytes: 100, seconds: 1)
    }
    return CatalogEntry(
      names: names, state: problem.map { .incomplete(manifest, $0) } ?? .complete(manifest),
      stored: stored ?? time.adding(seconds: 60), bytes: 500,
      dataKey: names.dataKey(encrypted: false), newestProof: proof,
      newestPassedProof: passed == true ? proof : nil)
  }

  static func catalog(_ entries: [CatalogEntry], leftovers: [Leftover] = []) -> BackupCatalog {
    BackupCatalog(
      environment: "production", place: "file:///store", entries: entries, leftovers: leftovers)
  }
}

/// Gives a directory store in a folder of its own, which is removed afterwards.
func withStore(_ body: (DirectoryStore) throws -> Void) throws {
  let root = FileManager.default.temporaryDirectory.path + "/pgkeep-repo-\(UUID().uuidString)"
  defer { try? FileManager.default.removeItem(atPath: root) }
  try body(DirectoryStore(path: root))
}

/// The error's code that `body` throws; nil when it throws none of ours.
func code(_ body: () throws -> Void) -> RepositoryError.Code? {
  do { try body() } catch { return (error as? RepositoryError)?.code }
  return nil
}
