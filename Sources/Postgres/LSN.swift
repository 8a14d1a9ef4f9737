/// A position in the write-ahead log, in bytes since its beginning.
///
/// Written as PostgreSQL's `pg_lsn` does: two hexadecimal halves, `16/B374D848`.
public struct LSN: Hashable, Sendable, Comparable, CustomStringConvertible {
  public var rawValue: UInt64

  public init(rawValue: UInt64) { self.rawValue = rawValue }

  /// Reads `16/B374D848`; nil when it is not of that form.
  public init?(_ text: some StringProtocol) {
    let halves = text.split(separator: "/", omittingEmptySubsequences: false)
    guard halves.count == 2, halves.allSatisfy({ (1...8).contains($0.count) }),
      let high = UInt32(halves[0], radix: 16), let low = UInt32(halves[1], radix: 16)
    else { return nil }
    rawValue = UInt64(high) << 32 | UInt64(low)
  }

  public var description: String {
    String(rawValue >> 32, radix: 16, uppercase: true) + "/"
      + String(rawValue & 0xFFFF_FFFF, radix: 16, uppercase: true)
  }

  public static func < (left: LSN, right: LSN) -> Bool { left.rawValue < right.rawValue }
}
