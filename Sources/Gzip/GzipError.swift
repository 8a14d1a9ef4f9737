/// What can be wrong with gzip data (RFC 1952), or with making it.
public struct GzipError: Error, Sendable, CustomStringConvertible {
  public enum Code: String, Hashable, Sendable {
    /// The bytes do not begin as gzip data do.
    case notGzip
    /// The data end in the middle of a member.
    case truncated
    /// A header, or the compressed data, break the format.
    case corrupt
    /// The data decompress, but not to what their checksum says.
    case checksumMismatch
    /// A member is not as long, compressed or not, as it says.
    case lengthMismatch
    /// After a whole member comes something that is no gzip member.
    case trailingGarbage
    /// The compressor refused to work.
    case failed
  }

  public let code: Code
  /// What is wrong, in words.
  public let message: String
  /// Where in the compressed data the damaged member begins, in bytes, where that is known.
  public let memberOffset: Int?
  public let cause: (any Error)?

  public init(
    _ code: Code, _ message: String, memberOffset: Int? = nil, cause: (any Error)? = nil
  ) {
    self.code = code
    self.message = message
    self.memberOffset = memberOffset
    self.cause = cause
  }

  public var description: String {
    guard let memberOffset else { return message }
    return "\(message) (gzip member at byte \(memberOffset))"
  }

  /// The same error, said of the member at `offset`.
  func at(_ offset: Int) -> GzipError {
    GzipError(code, message, memberOffset: memberOffset ?? offset, cause: cause)
  }
}
