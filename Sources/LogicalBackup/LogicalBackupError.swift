/// What can go wrong with a logical backup: making, reading, restoring or proving it.
///
/// A failure of the server or the store that needs no more words is thrown as it is, as
/// `PostgresError` or `ObjectStoreError`.
public struct LogicalBackupError: Error, Sendable, CustomStringConvertible {
  public enum Code: String, Hashable, Sendable {
    /// The database holds something that pgkeep does not express.
    case unsupportedObject
    /// The server's version is not one that this can be done with.
    case unsupportedServer
    /// The schema kept changing while it was read.
    case schemaKeepsChanging
    /// A lock was not to be had in time.
    case lockNotObtained
    /// The role lacks a permission that the work needs.
    case permissionMissing
    /// The file is not one that pgkeep restores.
    case notABackup
    /// The file ends too early.
    case truncated
    /// The file is damaged, or its parts contradict each other.
    case damaged
    /// What was read, written or restored does not match its row count or hash.
    case verificationFailed
    /// The target database exists, or holds something, and must not.
    case targetNotEmpty
    /// The target database does not exist, and must.
    case targetMissing
    /// Somebody else restores into the same target.
    case targetBusy
    /// The target lacks a role, extension, encoding or locale that the backup needs.
    case targetLacks
    /// A statement of the backup failed on the target.
    case statementFailed
    /// All was restored, but the new database could not take the old one's place.
    case notSwitched
    /// Somebody asked to stop.
    case cancelled
  }

  public var code: Code
  /// What went wrong, where, and what to do.
  public var message: String
  public var cause: (any Error)?

  public init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
    self.code = code
    self.message = message
    self.cause = cause
  }

  public var description: String {
    guard let cause else { return message }
    return "\(message)\n\(cause)"
  }
}
