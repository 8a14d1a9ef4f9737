import Crypto
public import ObjectStore

/// A mark in the store that somebody reads a backup: a prune meanwhile, on whatever host, leaves it.
///
/// An object of no content, `<environment>/<database>/pins/<id>.<eight random digits>`. It counts
/// for a day after it was written, by the store's clock, so that what a killed restore left holds
/// nothing for long; older ones are removed by the next prune.
public struct Pin: Hashable, Sendable {
  public let backup: BackupNames
  public let key: String
  /// When it was written, by the store's clock.
  public let written: UTCTime

  /// Seconds for which a pin counts.
  static let lifetime: Int64 = 86_400

  /// Whether it still counts.
  func holds(at now: UTCTime) -> Bool { written.adding(seconds: Self.lifetime) > now }

  static func prefix(of names: BackupNames) -> String {
    Layout.prefix(environment: names.environment, database: names.database)
      + "pins/\(names.id)."
  }

  /// What a listing shows; nil for what is no pin.
  init?(_ info: ObjectInfo) {
    let parts = info.key.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 4, parts[2] == "pins", parts[1] != Layout.cluster,
      let environment = Layout.name(ofComponent: parts[0]),
      let database = Layout.name(ofComponent: parts[1]),
      let id = BackupID(parts[3].prefix { $0 != "." })
    else { return nil }
    backup = BackupNames(environment: environment, database: database, id: id)
    key = info.key
    written = info.modified
  }
}

extension BackupRepository {
  /// Reads a backup while a pin keeps every prune from deleting it.
  ///
  /// - Parameter refused: called when no pin could be written, as where the store's key may only
  ///   read; the body is run all the same.
  public func reading<Value>(
    _ names: BackupNames, refused: (any Error) -> Void, _ body: () throws -> Value
  ) throws -> Value {
    let key = Pin.prefix(of: names) + Hex.encode(try SecureRandom.bytes(4))
    do { try store.put(key, [], options: PutOptions()) } catch { refused(error) }
    // Also when nobody knows whether it was written.
    defer { try? store.delete(key) }
    // A prune that had looked for pins before this one was there.
    guard try store.info(names.manifestKey) != nil else {
      throw RepositoryError(
        .noBackup, "the backup \(names.id) of \(names.database) has just been deleted by a prune")
    }
    return try body()
  }
}
