public import Postgres

/// What happens while migrations run, for whoever shows it.
public enum MigrationEvent: Sendable {
  /// Another run holds the lock; said when waiting begins, and when the holder changes.
  case waitingForLock(LockHolder)
  /// The sessions are open and the lock is ours.
  case locked
  case starting(PlannedStep)
  /// One statement of a migration without a transaction is done.
  case statementDone(PlannedStep, ordinal: Int, of: Int)
  /// A statement waits for a lock; said again when those who block it change.
  case blocked(PlannedStep, BlockedStatement)
  /// A lock was not to be had; the migration, or its statement, is tried again after a pause.
  case retrying(PlannedStep, after: Duration, BlockedStatement?)
  /// How far a long statement is, several times a second.
  case progress(PlannedStep, StatementProgress)
  case finished(FinishedStep)
  /// Something that a person should know, and that is no error.
  case warning(String)
  /// A notice or warning of the server.
  case notice(ServerMessage)
}
