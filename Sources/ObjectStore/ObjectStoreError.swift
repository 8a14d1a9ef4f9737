/// What went wrong with a store. Never holds a secret.
public struct ObjectStoreError: Error, Sendable, CustomStringConvertible {
  public enum Code: String, Hashable, Sendable, CaseIterable {
    /// There is no such object, or no such bucket.
    case notFound
    /// The store knows us, and does not allow it.
    case denied
    /// The store does not know us: a missing, wrong or expired key.
    case credentials
    /// Our clock and the store's differ by more than signatures allow.
    case clockSkew
    /// No answer: name resolution, connection, TLS, time-out.
    case unreachable
    /// The disk, the quota or the bucket is full.
    case noSpace
    /// The object is there already, and should not have been.
    case alreadyExists
    /// The store kept asking to slow down.
    case throttled
    /// An object ended early, or is not as long as the store had said.
    case truncated
    /// What arrived is not what was sent.
    case damaged
    /// A store's address, a setting or a key has a wrong form.
    case invalidLocation
    /// The store keeps this object from being deleted before its day.
    case retained
    /// Somebody asked to stop.
    case cancelled
    /// The operating system refused a file operation for another reason.
    case fileSystem
    /// The provider answered with another error.
    case provider
  }

  /// What an S3 provider said, in its own words.
  public struct Answer: Hashable, Sendable {
    /// The HTTP status.
    public var status: Int
    /// The provider's code, such as `SlowDown`.
    public var code: String?
    public var message: String?
    /// What the provider's support asks for.
    public var requestID: String?
  }

  public let code: Code
  /// What failed, where, and what to do.
  public let message: String
  /// The object, where it is about one.
  public let key: String?
  public let answer: Answer?
  public let cause: (any Error)?

  public init(
    _ code: Code, _ message: String, key: String? = nil, answer: Answer? = nil,
    cause: (any Error)? = nil
  ) {
    self.code = code
    self.message = message
    self.key = key
    self.answer = answer
    self.cause = cause
  }

  /// Whether what failed may have been done all the same, or may yet be: the request was sent, and
  /// nobody knows what became of it.
  public var isUncertain: Bool {
    switch code {
    case .unreachable, .cancelled: true
    case .provider: (answer?.status ?? 0) >= 500
    default: false
    }
  }

  public var description: String {
    var text = message
    if let answer {
      var said = ["HTTP \(answer.status)"]
      if let code = answer.code { said.append(code) }
      if let message = answer.message { said.append(message) }
      if let requestID = answer.requestID { said.append("request id \(requestID)") }
      text += " (\(said.joined(separator: ", ")))"
    }
    if let cause { text += ": \(cause)" }
    return text
  }
}
