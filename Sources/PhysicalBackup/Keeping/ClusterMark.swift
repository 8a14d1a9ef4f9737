public import ObjectStore
import Repository

/// A mark that somebody reads base backups and WAL of a cluster:
/// `<environment>/cluster/<system identifier>/pins/<base backup or all>.<digits>`.
struct ClusterMark: Hashable, Sendable {
  /// The base backup that is read, with what it is made from and all WAL since; nil for everything
  /// of the cluster.
  let base: BackupID?
  let mark: ReadingMark

  /// What a listing shows; nil for what is no mark.
  init?(_ info: ObjectInfo, _ layout: ClusterLayout) {
    guard info.key.hasPrefix(layout.marksPrefix) else { return nil }
    let name = info.key.dropFirst(layout.marksPrefix.count).prefix { $0 != "." }
    if name == ClusterLayout.everything {
      base = nil
    } else {
      guard let id = BackupID(name) else { return nil }
      base = id
    }
    mark = ReadingMark(info)
  }
}

extension ClusterLayout {
  static let everything = "all"

  var marksPrefix: String { prefix + "pins/" }

  /// - Parameter base: nil for everything of the cluster.
  func markPrefix(_ base: BackupID?) -> String {
    marksPrefix + (base.map { "\($0)" } ?? Self.everything) + "."
  }
}

extension PhysicalCatalog {
  /// Reads a base backup, what it is made from and the WAL since, while a mark keeps every prune
  /// from deleting them.
  ///
  /// - Parameters:
  ///   - isLeft: whether the mark stays behind for its day, for a server that fetches WAL later.
  ///   - refused: called when no mark could be written, as where the store's key may only read; the
  ///     body is run all the same.
  public func reading<Value>(
    _ base: BaseManifest, isLeft: Bool = false, refused: (any Error) -> Void,
    _ body: () throws -> Value
  ) throws -> Value {
    try ReadingMark.keep(
      layout.markPrefix(base.id), in: store, isLeft: isLeft, refused: refused
    ) {
      // A prune that had looked for marks before this one was there. Of a chain the last goes first.
      guard try store.info(layout.manifestKey(base.id)) != nil else {
        throw PhysicalBackupError(
          .nothingToRestore, "the base backup \(base.id) has just been deleted by a prune")
      }
      return try body()
    }
  }

  /// Reads everything of a cluster while a mark keeps every prune from deleting any of it. The body
  /// makes the catalog, so that nothing in it has gone before the mark was there.
  public static func readingAll<Value>(
    of systemIdentifier: String, in store: any ObjectStore, environment: String,
    refused: (any Error) -> Void, _ body: () throws -> Value
  ) throws -> Value {
    let layout = ClusterLayout(environment: environment, systemIdentifier: systemIdentifier)
    return try ReadingMark.keep(layout.markPrefix(nil), in: store, refused: refused, body)
  }
}
