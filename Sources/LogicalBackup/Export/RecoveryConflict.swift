import Postgres

/// That a standby cancelled a statement because replay needed what it held, or ended the session.
///
/// A statement is cancelled with SQLSTATE 40001, which a read-only snapshot gets for no other reason
/// (PostgreSQL's documentation, "Handling Query Conflicts"). A session that was idle at that moment
/// only finds its connection gone.
struct RecoveryConflict {
  let error: PostgresError

  /// Nil for every other error.
  init?(_ error: any Error) {
    switch error {
    case let error as PostgresError
    where error.sqlState == .serializationFailure || error.code == .connectionLost:
      self.error = error
    case let error as LogicalBackupError:
      guard let cause = error.cause, let found = RecoveryConflict(cause) else { return nil }
      self = found
    default: return nil
    }
  }
}
