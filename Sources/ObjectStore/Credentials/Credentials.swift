/// What requests are signed with.
///
/// Says nothing of itself when it is printed: no secret may get into a log or an error.
public struct Credentials: Hashable, Sendable {
  public var accessKey: String
  public var secretKey: String
  /// For temporary credentials.
  public var sessionToken: String?
  /// When they end; nil for lasting ones.
  public var expires: UTCTime?

  public init(
    accessKey: String, secretKey: String, sessionToken: String? = nil, expires: UTCTime? = nil
  ) {
    self.accessKey = accessKey
    self.secretKey = secretKey
    self.sessionToken = sessionToken
    self.expires = expires
  }
}

extension Credentials: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  public var description: String { "Credentials(hidden)" }
  public var debugDescription: String { description }
  public var customMirror: Mirror { Mirror(self, children: [:]) }
}
