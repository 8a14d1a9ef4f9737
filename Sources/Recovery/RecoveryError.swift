/// What can go wrong on the way to a moment. Never holds a secret.
public struct RecoveryError: Error, Sendable, CustomStringConvertible {
  public enum Code: String, Hashable, Sendable, CaseIterable {
    /// No kind of backup reaches the target.
    case noRoute
    /// Only an earlier moment can be had, and that was not asked for.
    case fallsShort
    /// It has to be said which database is meant.
    case whichDatabase
    /// The temporary server cannot be started or entered.
    case temporaryServer
  }

  public let code: Code
  /// What failed, where, and what to do.
  public let message: String
  public let cause: (any Error)?

  public init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
    self.code = code
    self.message = message
    self.cause = cause
  }

  public var description: String { cause.map { "\(message): \($0)" } ?? message }
}
