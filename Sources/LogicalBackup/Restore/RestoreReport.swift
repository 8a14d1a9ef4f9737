public import Postgres

/// What a restore did.
public struct RestoreReport: Sendable {
  /// One table's rows.
  public struct Table: Sendable {
    /// `schema.name`, quoted where need be.
    public var name: SQLText
    public var rows: Int
    /// The sum of the rows' hashes, as the backup tells it; nil when it tells none.
    public var hash: UInt64?
    /// Time spent on it, summed over connections that worked at the same time.
    public var time: Duration
  }

  public struct Phase: Sendable {
    public var phase: RestorePhase
    public var time: Duration
  }

  /// The database's name.
  public var database: String
  /// What was backed up; nil for dumps that do not tell.
  public var facts: BackupFacts?
  public var tables: [Table] = []
  public var phases: [Phase] = []
  /// Bytes of the backup as it is stored.
  public var bytes = 0
  public var statements = 0
  public var largeObjects = 0
  /// Whether every table's rows were read back and found to be the backup's.
  public var isVerified = false
  /// Statements that were passed over, and why.
  public var skipped: [String] = []
  /// How many more were passed over since they are about what was not asked for, where a part of a
  /// backup was restored.
  public var unselected = 0
  /// What else a person should know.
  public var notes: [String] = []

  public var rows: Int { tables.reduce(0) { $0 + $1.rows } }
  public var time: Duration { phases.reduce(.zero) { $0 + $1.time } }
}
