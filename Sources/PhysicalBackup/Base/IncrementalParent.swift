import ByteStream
import Crypto
import ObjectStore
import Postgres

/// The base backup that an incremental one is to hold the changes since.
struct IncrementalParent {
  let manifest: BaseManifest
  /// The server's own manifest of it, as the server wants it back.
  let serverManifest: [UInt8]

  /// The newest that can be restored and that the server may still know.
  ///
  /// - Parameter store: opens what is encrypted.
  /// - Throws: ``PhysicalBackupError`` when the server cannot make incremental backups, there is no
  ///   base backup yet, or its server manifest cannot be read.
  init(
    _ connection: ReplicationConnection, _ system: ReplicationConnection.System,
    _ store: any ObjectStore, environment: String, cancellation: Cancellation
  ) throws {
    guard connection.majorVersion >= 17 else {
      throw PhysicalBackupError(
        .wrongServer,
        "\(connection.target) runs PostgreSQL \(connection.majorVersion); incremental base backups "
          + "need 17 or later. Take one without --incremental")
    }
    guard try connection.show("summarize_wal") == "on" else {
      throw PhysicalBackupError(
        .wrongServer,
        "\(connection.target) does not note which blocks change: set summarize_wal = on, which "
          + "needs no restart, and take a base backup without --incremental; later ones may then "
          + "be incremental to it")
    }
    let catalog = try PhysicalCatalog(
      store, environment: environment, systemIdentifier: system.identifier, points: .none,
      cancellation: cancellation)
    let newest = catalog.bases.last {
      $0.timeline <= system.timeline && catalog.chain(of: $0) != nil
        && $0.server.major == connection.majorVersion
    }
    guard let newest else {
      throw PhysicalBackupError(
        .nothingToRestore,
        "there is no base backup of cluster \(system.identifier) in \(store.description) that "
          + "another could be incremental to: take the first without --incremental")
    }
    manifest = newest
    let object = newest.serverManifest
    let bytes = try store.readAll(object.key, limit: 1 << 30, cancellation: cancellation)
    guard bytes.count == object.size,
      Hex.encode(try Digest.hash(.sha256, bytes)) == object.sha256
    else {
      throw PhysicalBackupError(
        .damaged,
        "\(object.key) in \(store.description) is not what was stored: take a base backup "
          + "without --incremental")
    }
    serverManifest = try SmallGzip.decompress(bytes, key: object.key)
  }
}
