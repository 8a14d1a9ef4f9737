/// What is wrong with an encrypted file, or with a key. Never holds a secret.
public struct AgeError: Error, Hashable, Sendable, CustomStringConvertible {
  public enum Code: String, Hashable, Sendable, CaseIterable {
    /// It is not a file of age's first version.
    case notAge
    /// The header has a form that age does not allow.
    case malformedHeader
    /// None of the identities opens it.
    case wrongKey
    /// The header was changed.
    case headerDamaged
    /// A chunk was changed, or stands in another's place.
    case chunkDamaged
    /// It ends before its last chunk.
    case truncated
    /// A key's text has a wrong form.
    case malformedKey
    /// The passphrase's work factor is more than a reader should do.
    case tooExpensive
    /// The sink was already finished or aborted.
    case closed
  }

  public let code: Code
  public let message: String

  public init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  public var description: String { message }
}
