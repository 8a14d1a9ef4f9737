/// What went wrong while a test's surroundings were set up: a server that did not start, a command
/// that did not end.
public struct TestSupportError: Error, Sendable, CustomStringConvertible {
  /// What failed and where, with the end of the output that tells why.
  public let description: String

  /// An error that says `description`.
  public init(_ description: String) {
    self.description = description
  }
}
