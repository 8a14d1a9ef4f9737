/// How large the parts of a multipart upload are.
///
/// S3 takes parts of 5 MiB to 5 GiB, and at most 10,000 of them; some providers fewer. The first
/// half of the parts have one size, chosen from the expected one; then it doubles with every
/// sixteenth of the cap, so that something 32 times larger than expected still fits. One provider
/// wants all parts in one size: there they do not grow.
struct PartPlan: Hashable, Sendable {
  /// Bytes of the first parts.
  let firstSize: Int
  /// How many there may be.
  let cap: Int
  private let isEqual: Bool

  static let smallest = 5 << 20
  static let largest = 5 << 30

  init(partSize: Int, expectedSize: Int?, cap: Int, isEqual: Bool = false) {
    self.cap = max(cap, 1)
    self.isEqual = isEqual
    // Half of the parts, so that an expectation that is not quite met does not matter.
    let needed = ((expectedSize ?? 0) + self.cap / 2) / max(self.cap / 2, 1)
    let rounded = ((needed + (1 << 20) - 1) >> 20) << 20
    firstSize = min(max(partSize, rounded, Self.smallest), Self.largest)
  }

  /// Bytes of the part with that number, counted from 0.
  func size(ofPart number: Int) -> Int {
    let beyond = number - cap / 2
    guard beyond >= 0, !isEqual else { return firstSize }
    let doublings = beyond * 16 / cap + 1
    return min(firstSize << min(doublings, 10), Self.largest)
  }
}
