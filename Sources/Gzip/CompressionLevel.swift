/// How hard to compress.
public enum CompressionLevel: Hashable, Sendable {
  /// ISA-L level 1: on rows about eleven times as fast as `gzip -6`, and 2 to 3 % larger. Its
  /// levels 2 and 3, and blocks of other sizes, were measured to make no difference of 0.5 %.
  case fast
  /// zlib at a level from 1 to 9: on prose about a fifth smaller at 6, much slower.
  case small(Int)

  /// zlib level 7: 2 % smaller than `gzip -6` on rows. Levels 8 and 9 take a third longer for
  /// nothing.
  public static let small = CompressionLevel.small(7)
}
