public import LogicalBackup
public import ObjectStore
public import PhysicalBackup
public import Repository

/// How a database can be brought back to a moment.
public enum Route: Sendable {
  /// Exactly there: a base backup and WAL.
  case physical(PhysicalCatalog, RecoveryPlan)
  /// Not quite there: the newest logical backup from before.
  case logical(LogicalRoute)
}

/// The newest logical backup from before a moment.
public struct LogicalRoute: Sendable {
  public var entry: CatalogEntry
  public var file: LogicalFileReader
  /// The moment that its rows are of.
  public var taken: UTCTime
  /// Seconds by which that is earlier than what was asked for; nil where that has no time.
  public var shortBy: Double?
  /// Why there is no way to the moment itself.
  public var why: String
}
