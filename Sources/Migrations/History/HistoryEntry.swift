/// One row of the history: something that happened to the database's schema.
public struct HistoryEntry: Hashable, Sendable {
  public enum Kind: String, Hashable, Sendable {
    case versioned, repeatable
  }

  public enum Outcome: String, Hashable, Sendable {
    /// A migration without a transaction began; the row that ends it refers to this one.
    case started
    case done
    /// A migration without a transaction stopped half way.
    case failed
    /// The database had this already when pgkeep came.
    case baseline
    /// Taken over from another tool's history.
    case imported
    /// A person's word that the migration is applied, or is not.
    case repaired
  }

  public var id: Int
  /// The tenant's schema; "" for the whole database.
  public var scope: String
  public var kind: Kind
  /// nil for a repeatable file.
  public var version: MigrationVersion?
  public var name: String
  public var direction: Direction
  public var outcome: Outcome
  /// The row with outcome `started` that this one ends.
  public var attempt: Int?
  /// For a down: the row of the up that it undid.
  public var undoes: Int?
  public var upChecksum: String?
  public var downChecksum: String?
  /// Whether a text that undoes this up is kept.
  public var hasDown: Bool
  public var statements: Int?
  public var error: String?
  public var role: String
  public var host: String
  public var toolVersion: String
  public var durationMilliseconds: Int?
  /// When, by the server's clock: `2026-11-22T09:30:00.123Z`.
  public var recordedAt: String

  /// `20261122093000_orders`, or `R__orders_view`.
  public var title: String { version.map { "\($0)_\(name)" } ?? "R__\(name)" }
}

/// Which way a migration is taken.
public enum Direction: String, Hashable, Sendable {
  case up, down
}
