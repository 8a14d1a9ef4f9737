/// What went wrong with the catalog of backups, or why something was refused.
public struct RepositoryError: Error, Sendable, CustomStringConvertible {
  public enum Code: String, Hashable, Sendable, CaseIterable {
    /// There is no backup that answers to what was asked for.
    case noBackup
    /// More than one backup or database answers to it.
    case ambiguous
    /// A manifest was written by a newer pgkeep, in a format that this one does not know.
    case newerFormat
    /// A manifest cannot be read, or does not agree with the objects beside it.
    case damaged
    /// The backups there are of another server.
    case otherServer
    /// A clock jumped, so that ages mean nothing.
    case clock
    /// A setting is not what it may be.
    case invalid
  }

  public let code: Code
  /// What was asked, what was found, and what to do.
  public let message: String
  public let cause: (any Error)?

  public init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
    self.code = code
    self.message = message
    self.cause = cause
  }

  public var description: String {
    guard let cause else { return message }
    return "\(message): \(cause)"
  }
}
