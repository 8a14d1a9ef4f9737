public import Age
public import ByteStream
import LogicalBackup
import ObjectStore
public import PhysicalBackup
import Postgres
public import Repository

/// Looks for a way to a moment: base backups and WAL first, which reach every one that they cover,
/// then logical backups, which are of one moment each.
public struct RouteFinder: Sendable {
  private let repository: BackupRepository
  private let identities: [AgeIdentity]
  private let cancellation: Cancellation

  /// - Parameter identities: what opens encrypted backups.
  public init(
    _ repository: BackupRepository, identities: [AgeIdentity] = [], cancellation: Cancellation
  ) {
    self.repository = repository
    self.identities = identities
    self.cancellation = cancellation
  }

  /// Finds the way; nothing is restored.
  ///
  /// - Parameters:
  ///   - systemIdentifier: which cluster's base backups; nil for the only one's.
  ///   - timeline: nil for the newest.
  ///   - database: of which database, for logical backups; nil for the only one that there is.
  /// - Throws: ``RecoveryError/Code/noRoute`` with what each kind of backup lacks, or what the
  ///   store throws.
  public func route(
    to target: RecoveryTarget, systemIdentifier: String? = nil, timeline: UInt32? = nil,
    database: String?
  ) throws -> Route {
    let why: String
    do {
      let catalog = try PhysicalCatalog(
        SealedStore(repository.store, identities: identities),
        environment: repository.environment, systemIdentifier: systemIdentifier,
        points: .target(target, timeline: timeline), cancellation: cancellation)
      return .physical(catalog, try RecoveryPlanner(catalog, timeline: timeline).plan(target))
    } catch let error as PhysicalBackupError
      where [.nothingToRestore, .outOfRange, .noSuchPoint].contains(error.code)
    {
      // Of several clusters, or several attempts of a migration, somebody has to choose.
      if error.message.contains("say which one") { throw error }
      why = error.message
    }
    guard let route = try logical(target, database, why) else {
      throw RecoveryError(
        .noRoute,
        "\(target) cannot be reached: \(why); and there is no logical backup from before in "
          + repository.store.description)
    }
    return .logical(route)
  }

  private func logical(
    _ target: RecoveryTarget, _ database: String?, _ why: String
  ) throws -> LogicalRoute? {
    let catalog = try repository.catalog(database: database, cancellation: cancellation)
    let whole = catalog.entries.filter(\.isWhole)
    let databases = Set(whole.map(\.database)).sorted()
    guard databases.count <= 1 else {
      throw RecoveryError(
        .whichDatabase,
        "\(repository.store.description) has backups of \(databases.joined(separator: ", ")); say "
          + "with --database which one is meant")
    }
    let moment: UTCTime?
    switch target {
    case .time(let time): moment = UTCTime(milliseconds: time.unixMicroseconds / 1000)
    case .beforeMigration(let version):
      return try newest(whole, why, nil) { entry, _ in
        entry.manifest?.migration.map { Self.isEarlier($0, version) } ?? false
      }
    case .latest, .position, .transaction, .restorePoint: return nil
    }
    return try newest(whole, why, moment) { _, taken in moment.map { taken <= $0 } ?? false }
  }

  private func newest(
    _ entries: [CatalogEntry], _ why: String, _ moment: UTCTime?,
    _ isMeant: (CatalogEntry, UTCTime) -> Bool
  ) throws -> LogicalRoute? {
    for entry in entries.reversed() {
      // The snapshot was taken while the backup ran: one that began later is out at once.
      if let moment, entry.id.time > moment { continue }
      guard let key = entry.dataKey, let manifest = entry.manifest else { continue }
      let file = try LogicalFileReader(
        key, size: manifest.object.size, in: repository.store, cancellation: cancellation
      ).decrypted(with: identities)
      let facts = try file.readIndex().facts
      let snapshot = try? RecoveryTime.parse(facts.snapshotTime)
      let taken =
        snapshot.map { UTCTime(milliseconds: $0.unixMicroseconds / 1000) } ?? manifest.finished
      guard isMeant(entry, taken) else { continue }
      return LogicalRoute(
        entry: entry, file: file, taken: taken,
        shortBy: moment.map { $0.seconds(since: taken) }, why: why)
    }
    return nil
  }

  /// Versions are numbers, mostly times, that may be too long for any integer.
  private static func isEarlier(_ a: String, _ b: String) -> Bool {
    let (a, b) = (a.drop { $0 == "0" }, b.drop { $0 == "0" })
    return a.utf8.count == b.utf8.count ? a < b : a.utf8.count < b.utf8.count
  }
}
