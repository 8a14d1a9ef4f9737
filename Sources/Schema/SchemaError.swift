/// What can go wrong while the catalogs are read or turned into SQL.
public struct SchemaError: Error, Sendable, CustomStringConvertible {
  public enum Code: Hashable, Sendable {
    /// The catalogs hold something that cannot be expressed: the message names it.
    case unsupportedObject
    /// The server is older or newer than what this version knows.
    case unsupportedServer
    /// The catalogs hold something that they never should, such as a reference to nothing.
    case damagedCatalog
    /// A pattern of names cannot be read.
    case invalidPattern
    /// A pattern of names finds nothing.
    case nothingMatches
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

  public var description: String { message }
}
