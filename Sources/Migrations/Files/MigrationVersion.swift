/// The number that a migration file's name starts with: `20261122093000`, `0007`.
///
/// Versions are ordered as numbers, so `7` and `0007` are the same version.
public struct MigrationVersion: Sendable {
  /// As it was written.
  public let text: String
  public let number: UInt64

  /// Takes 1 to 19 decimal digits; nil for anything else.
  public init?(_ text: some StringProtocol) {
    guard (1...19).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
      let number = UInt64(text)
    else { return nil }
    self.text = String(text)
    self.number = number
  }
}

extension MigrationVersion: Hashable, Comparable {
  public static func == (left: Self, right: Self) -> Bool { left.number == right.number }
  public static func < (left: Self, right: Self) -> Bool { left.number < right.number }
  public func hash(into hasher: inout Hasher) { hasher.combine(number) }
}

extension MigrationVersion: CustomStringConvertible {
  public var description: String { text }
}
