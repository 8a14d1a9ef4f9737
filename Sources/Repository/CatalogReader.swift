import ByteStream
import ObjectStore

/// Makes a catalog from a listing of the store.
struct CatalogReader {
  private let repository: BackupRepository
  private let cancellation: Cancellation

  init(_ repository: BackupRepository, cancellation: Cancellation) {
    self.repository = repository
    self.cancellation = cancellation
  }

  /// One backup's objects, as a listing shows them.
  private struct Found {
    var names: BackupNames
    var manifest: ObjectInfo?
    var data: [ObjectInfo] = []
  }

  func read(database: String?) throws -> BackupCatalog {
    let environment = repository.environment
    let prefix =
      database.map { Layout.prefix(environment: environment, database: $0) }
      ?? Layout.prefix(environment: environment)
    var found: [BackupNames: Found] = [:]
    var proofs = ProofKeys()
    var pins: [Pin] = []
    try repository.store.list(prefix: prefix) { info in
      try cancellation.check()
      proofs.note(info.key)
      if let pin = Pin(info) { pins.append(pin) }
      guard let names = BackupNames(key: info.key) else { return }
      var one = found[names] ?? Found(names: names)
      if info.key == names.manifestKey { one.manifest = info } else { one.data.append(info) }
      found[names] = one
    }
    var entries: [CatalogEntry] = []
    var leftovers: [Leftover] = []
    for one in found.values {
      try cancellation.check()
      if let manifest = one.manifest {
        if let entry = try entry(one, manifest, proofs) { entries.append(entry) }
      } else {
        leftovers += one.data.map {
          Leftover(
            names: one.names, key: $0.key, kind: .object, modified: $0.modified, bytes: $0.size)
        }
      }
    }
    leftovers += try unfinished(prefix: prefix)
    return BackupCatalog(
      environment: environment, place: repository.store.description, entries: entries,
      leftovers: leftovers, pins: pins)
  }

  private func unfinished(prefix: String) throws -> [Leftover] {
    try repository.store.unfinished(prefix: prefix).compactMap { write in
      guard let names = BackupNames(key: write.key) else { return nil }
      return Leftover(
        names: names, key: write.key, kind: .unfinishedWrite(write), modified: write.started,
        bytes: 0)
    }
  }

  /// Nil when the manifest went away between listing and reading.
  private func entry(
    _ found: Found, _ info: ObjectInfo, _ proofs: ProofKeys
  ) throws -> CatalogEntry? {
    let bytes: [UInt8]
    do {
      bytes = try repository.store.readAll(
        info.key, limit: Manifest.largest, cancellation: cancellation)
    } catch let error as ObjectStoreError where error.code == .notFound {
      return nil
    }
    let state = Self.state(of: bytes, found.names, found.data)
    let dataKey: String? =
      switch state {
      case .complete(let manifest), .incomplete(let manifest, _):
        found.names.dataKey(encrypted: manifest.object.encryption != nil)
      case .newerFormat, .unreadable: found.data.first?.key
      }
    let newest = try proof(proofs.newest(of: found.names.id), found.names)
    let passed = try proof(proofs.newestPassed(of: found.names.id), found.names)
    return CatalogEntry(
      names: found.names, state: state, stored: info.modified,
      bytes: info.size + found.data.reduce(0) { $0 + $1.size }, dataKey: dataKey,
      newestProof: newest, newestPassedProof: passed)
  }

  private static func state(
    of bytes: [UInt8], _ names: BackupNames, _ data: [ObjectInfo]
  ) -> CatalogEntry.State {
    let manifest: Manifest
    do {
      manifest = try Manifest(decoding: bytes)
    } catch let error as RepositoryError where error.code == .newerFormat {
      return .newerFormat(error.description)
    } catch {
      return .unreadable("\(error)")
    }
    guard manifest.names == names else {
      return .unreadable(
        "the manifest is that of \(manifest.id) of \(manifest.database) in environment "
          + "\(manifest.environment), and lies where \(names.id) of \(names.database) should")
    }
    let key = names.dataKey(encrypted: manifest.object.encryption != nil)
    guard let object = data.first(where: { $0.key == key }) else {
      return .incomplete(manifest, "the object \(manifest.object.name) is missing")
    }
    let (size, written) = (object.size, manifest.object.size)
    guard size >= written else {
      return .incomplete(
        manifest, "the object \(manifest.object.name) is cut short: \(size) of \(written) bytes")
    }
    guard size == written else {
      return .incomplete(
        manifest,
        "to the object \(manifest.object.name) something was appended: it has \(size) bytes, "
          + "\(written) were written")
    }
    return .complete(manifest)
  }

  private func proof(_ key: String?, _ names: BackupNames) throws -> Proof? {
    guard let key else { return nil }
    do {
      let bytes = try repository.store.readAll(
        key, limit: Proof.largest, cancellation: cancellation)
      guard let proof = Proof(decoding: bytes), proof.backup == names.id,
        proof.database == names.database
      else { return nil }
      return proof
    } catch let error as ObjectStoreError where error.code == .notFound {
      return nil
    }
  }
}
