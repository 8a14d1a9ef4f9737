/// What can go wrong with making, reading or restoring a logical backup.
public struct LogicalBackupError: Error, Sendable, CustomStringConvertible {
  public enum Code: String, Hashable, Sendable {
    /// A lock that the backup needs is held by somebody else, for longer than we wait.
    case lockNotObtained
    /// The server's configuration does not let the work be done.
    case configuration
    /// The role may not do what is needed.
    case permission
    /// The schema changed again and again while it was read.
    case schemaChanged
    /// The database holds something that a backup cannot express.
    case unsupported
    /// The server failed, or said something unexpected, in the middle of work.
    case server
    /// What was asked for contradicts itself or the database.
    case invalidRequest
    /// The file is no backup, or not one that can be read here.
    case notABackup
    /// A newer version of pgkeep wrote the file.
    case newerFormat
    /// The file ends before its end.
    case truncated
    /// The file was changed after it was written.
    case damaged
    /// What was restored is not what was backed up.
    case verificationFailed
    /// The target database holds something already.
    case notEmpty
    /// A file of our own (an index that spilled to disk) could not be written or read.
    case localFile
    /// The database to restore into does not exist, and must.
    case targetMissing
    /// Somebody else restores into the same database.
    case targetBusy
    /// The target lacks a role, extension, encoding or locale that the backup needs.
    case targetLacks
    /// A statement of the backup failed on the target.
    case statementFailed
    /// All was restored, but the new database could not take its final name.
    case notSwitched
  }

  public var code: Code
  /// What went wrong, where, and what to do.
  public var message: String
  /// The table, object or file that it is about.
  public var object: String?
  public var cause: (any Error)?

  public init(_ code: Code, _ message: String, object: String? = nil, cause: (any Error)? = nil) {
    self.code = code
    self.message = message
    self.object = object
    self.cause = cause
  }

  public var description: String {
    guard let cause else { return message }
    return "\(message)\n\(cause)"
  }
}
