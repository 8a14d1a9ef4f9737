/// What can go wrong with base backups, the WAL archive and recovery. Never holds a secret.
public struct PhysicalBackupError: Error, Sendable, CustomStringConvertible {
  public enum Code: String, Hashable, Sendable, CaseIterable {
    /// The archive has nothing to restore.
    case nothingToRestore
    /// The moment or position is outside of what the archive covers.
    case outOfRange
    /// No such restore point, or several of one name.
    case noSuchPoint
    /// A target cannot be read as a time, a position or a name.
    case invalidTarget
    /// WAL is missing between what is stored and what the server still has.
    case gap
    /// A stored object is not what was stored.
    case damaged
    /// It is encrypted, and there is no key that opens it.
    case locked
    /// A newer pgkeep wrote it.
    case newerFormat
    /// The server is another one than the archive is of, or of a version that does not do this.
    case wrongServer
    /// The role may not, or a setting does not allow it.
    case permission
    /// The server answered in a way that was not expected.
    case unexpectedAnswer
    /// Pages with wrong checksums.
    case badPages
    /// The data directory, or another place on this machine, is not as it must be.
    case localPlace
    /// A server that was started did not get where it should.
    case recoveryFailed
    /// Somebody asked to stop.
    case cancelled
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
