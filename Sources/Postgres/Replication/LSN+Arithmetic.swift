extension LSN {
  /// The position `bytes` further on.
  public static func + (left: LSN, bytes: some BinaryInteger) -> LSN {
    LSN(rawValue: left.rawValue &+ UInt64(truncatingIfNeeded: bytes))
  }

  /// How many bytes lie between two positions; negative when `right` is the later one.
  public static func - (left: LSN, right: LSN) -> Int64 {
    Int64(bitPattern: left.rawValue &- right.rawValue)
  }

  /// The beginning of everything: what PostgreSQL calls an invalid position.
  public static let zero = LSN(rawValue: 0)

  /// 16 hexadecimal digits, which sort as the positions do.
  public var sortable: String { hexadecimal(rawValue, digits: 16) }

  /// Reads what ``sortable`` writes.
  public init?(sortable: some StringProtocol) {
    guard sortable.utf8.count == 16, let value = UInt64(sortable, radix: 16) else { return nil }
    rawValue = value
  }
}

/// Upper-case hexadecimal with leading zeros.
func hexadecimal(_ value: UInt64, digits: Int) -> String {
  let text = String(value, radix: 16, uppercase: true)
  return String(repeating: "0", count: max(0, digits - text.utf8.count)) + text
}
