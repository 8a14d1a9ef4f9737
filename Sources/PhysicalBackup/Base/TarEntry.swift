/// One entry of a tar archive, and where its content lies.
public struct TarEntry: Codable, Hashable, Sendable {
  public enum Kind: String, Codable, Hashable, Sendable {
    case file
    case directory
    case symbolicLink
  }

  /// Relative to the archive's root, without a slash at its end.
  public var path: String
  public var kind: Kind
  /// Permission bits.
  public var mode: Int
  /// Bytes of content.
  public var size: Int
  /// Where the content begins in the archive, in bytes.
  public var offset: Int
  /// Where a symbolic link leads.
  public var target: String?

  public init(
    path: String, kind: Kind, mode: Int, size: Int, offset: Int, target: String? = nil
  ) {
    self.path = path
    self.kind = kind
    self.mode = mode
    self.size = size
    self.offset = offset
    self.target = target
  }

  // Short names: an index has one of these for each file of a cluster.
  private enum CodingKeys: String, CodingKey {
    case path = "p"
    case kind = "k"
    case mode = "m"
    case size = "s"
    case offset = "o"
    case target = "t"
  }
}
