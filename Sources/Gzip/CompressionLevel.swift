/// How hard to compress.
public enum CompressionLevel: Hashable, Sendable {
  /// ISA-L level 1: on rows about eleven times as fast as `gzip -6`, at the same size.
  case fast
  /// zlib at a level from 1 to 9: on prose about a fifth smaller at 6, much slower.
  case small(Int)

  /// zlib level 6.
  public static let small = CompressionLevel.small(6)
}
