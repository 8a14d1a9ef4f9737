import Logging
public import ObjectStore
public import PhysicalBackup
public import Repository

/// Reading what is stored while no prune on whatever host deletes it; where the store's key may not
/// see to that, the run says so and reads all the same.
extension Run {
  /// Reads a logical backup.
  public func reading<Value>(
    _ names: BackupNames, of repository: BackupRepository, _ body: () throws -> Value
  ) throws -> Value {
    try repository.reading(names, refused: sayUnmarked, body)
  }

  /// Reads a base backup, what it is made from, and the WAL since.
  ///
  /// - Parameter isLeft: whether the mark stays for its day: a server will fetch WAL later.
  public func reading<Value>(
    _ base: BaseManifest, of catalog: PhysicalCatalog, isLeft: Bool = false,
    _ body: () throws -> Value
  ) throws -> Value {
    try catalog.reading(base, isLeft: isLeft, refused: sayUnmarked, body)
  }

  /// Reads everything of a cluster; the body makes the catalog.
  public func readingAll<Value>(
    of systemIdentifier: String, in store: any ObjectStore, _ body: () throws -> Value
  ) throws -> Value {
    try PhysicalCatalog.readingAll(
      of: systemIdentifier, in: store, environment: environmentName, refused: sayUnmarked, body)
  }

  private func sayUnmarked(_ error: any Error) {
    logger.info(
      "no mark could be left in the store, so a prune meanwhile could delete what is read: \(error)"
    )
  }
}
