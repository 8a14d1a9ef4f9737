public import ByteStream

/// Who gives the credentials that requests are signed with. Calls may block, for a bounded time.
public protocol CredentialsSource: Sendable {
  /// Credentials that are good now.
  func credentials(cancellation: Cancellation) throws -> Credentials
  /// Says that the provider called these expired, or unknown: others are wanted next time.
  func discard(_ credentials: Credentials)
}

/// The same credentials for ever.
public struct FixedCredentials: CredentialsSource {
  private let value: Credentials

  public init(_ credentials: Credentials) { value = credentials }

  public func credentials(cancellation: Cancellation) -> Credentials { value }

  public func discard(_ credentials: Credentials) {}
}
