import ObjectStore

/// A mark that somebody reads a logical backup: `<environment>/<database>/pins/<id>.<digits>`.
public struct Pin: Hashable, Sendable {
  public let backup: BackupNames
  public let mark: ReadingMark

  public var key: String { mark.key }

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
    mark = ReadingMark(info)
  }
}

extension BackupRepository {
  /// Reads a backup while a mark keeps every prune from deleting it.
  ///
  /// - Parameter refused: called when no mark could be written, as where the store's key may only
  ///   read; the body is run all the same.
  public func reading<Value>(
    _ names: BackupNames, refused: (any Error) -> Void, _ body: () throws -> Value
  ) throws -> Value {
    try ReadingMark.keep(Pin.prefix(of: names), in: store, refused: refused) {
      // A prune that had looked for marks before this one was there.
      guard try store.info(names.manifestKey) != nil else {
        throw RepositoryError(
          .noBackup, "the backup \(names.id) of \(names.database) has just been deleted by a prune")
      }
      return try body()
    }
  }
}
