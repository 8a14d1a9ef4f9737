/// What can go wrong between us and a PostgreSQL server.
public struct PostgresError: Error, Sendable, CustomStringConvertible {
  public enum Code: Hashable, Sendable {
    /// The connection URL cannot be used.
    case invalidTarget
    /// No server answered.
    case unreachable
    /// The server refused the role, password or certificate.
    case authentication
    /// The server has no such database.
    case noSuchDatabase
    /// The server has no free connection for us.
    case tooManyConnections
    /// The connection broke in the middle of work.
    case connectionLost
    /// The server reported an error: see ``PostgresError/server``.
    case server
    /// Somebody asked the run to stop.
    case cancelled
    /// A bounded wait ran out.
    case timedOut
    /// The server answered in a way that the protocol or the caller does not allow.
    case unexpectedAnswer
    /// A file of SQL cannot be split into statements: see ``PostgresError/scriptPosition``.
    case invalidScript
  }

  public var code: Code
  /// What went wrong, where, and what to do. Never holds a password.
  public var message: String
  /// The server's own words, where it had any.
  public var server: ServerMessage?
  public var cause: (any Error)?
  /// Where in a file of SQL, when that is what is wrong.
  public var scriptPosition: SQLPosition?

  public init(
    _ code: Code, _ message: String, server: ServerMessage? = nil, cause: (any Error)? = nil,
    scriptPosition: SQLPosition? = nil
  ) {
    self.code = code
    self.message = message
    self.server = server
    self.cause = cause
    self.scriptPosition = scriptPosition
  }

  /// The server's error code, when the server reported this error.
  public var sqlState: SQLState? { server?.sqlState }

  public var description: String {
    guard let server else { return message }
    return message.isEmpty ? "\(server)" : "\(message)\n\(server)"
  }
}
