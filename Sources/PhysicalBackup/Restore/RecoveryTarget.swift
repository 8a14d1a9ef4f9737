public import Postgres

/// Where a recovery is to end.
public enum RecoveryTarget: Hashable, Sendable, CustomStringConvertible {
  /// The end of all WAL that is stored.
  case latest
  /// Everything that was committed up to a moment of the server's clock.
  case time(ServerTime)
  /// Everything whose record begins before a position.
  case position(LSN)
  /// Just behind the end of a transaction.
  case transaction(UInt32)
  /// Just behind a restore point.
  case restorePoint(String)
  /// Just before the first step of a migration.
  case beforeMigration(String)

  public var description: String {
    switch self {
    case .latest: "the latest moment"
    case .time(let time): RecoveryTime.text(time)
    case .position(let position): "position \(position)"
    case .transaction(let xid): "the end of transaction \(xid)"
    case .restorePoint(let name): "restore point \"\(name)\""
    case .beforeMigration(let version): "the moment before migration \(version)"
    }
  }
}
