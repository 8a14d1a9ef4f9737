/// Lengths of time as directives and options give them.
public enum TimeText {
  /// Reads `500ms`, `5s`, `10min` or `1h`.
  ///
  /// - Returns: milliseconds, above zero; nil for anything else.
  public static func milliseconds(_ text: String) -> Int? {
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    guard let value = Int(digits), value > 0, value < 1_000_000_000 else { return nil }
    switch text.dropFirst(digits.count) {
    case "ms": return value
    case "s": return value * 1_000
    case "min": return value * 60_000
    case "h": return value * 3_600_000
    default: return nil
    }
  }
}
