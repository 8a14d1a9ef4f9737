public import ObjectStore

/// Numbers as people read them.
public enum Humane {
  /// Bytes in powers of 1000: `0 B`, `999 B`, `1.0 kB`, `141 MB`, `2.3 GB`.
  public static func size(_ bytes: Int) -> String {
    guard abs(bytes) >= 1000 else { return "\(bytes) B" }
    var value = Double(bytes)
    var unit = 0
    let units = ["B", "kB", "MB", "GB", "TB", "PB", "EB"]
    // 999.95 would be rounded up to 1000.
    while abs(value) >= 999.5, unit < units.count - 1 {
      value /= 1000
      unit += 1
    }
    return "\(abs(value) < 9.95 ? fixed(value, 1) : fixed(value, 0)) \(units[unit])"
  }

  /// Bytes a second.
  public static func rate(_ bytesPerSecond: Double) -> String {
    guard bytesPerSecond.isFinite, bytesPerSecond >= 0 else { return "0 B/s" }
    return size(Int(min(bytesPerSecond, 1e18))) + "/s"
  }

  /// A length of time: `12 ms`, `4.2 s`, `3 min 05 s`, `2 h 07 min`, `3 d 4 h`.
  public static func duration(_ duration: Duration) -> String {
    let parts = duration.components
    let seconds = Double(parts.seconds) + Double(parts.attoseconds) / 1e18
    switch seconds {
    case ..<0: return "0 ms"
    case ..<0.9995: return "\(Int((seconds * 1000).rounded())) ms"
    case ..<59.95: return "\(fixed(seconds, 1)) s"
    default: break
    }
    let whole = Int(seconds.rounded())
    switch whole {
    case ..<3600: return "\(whole / 60) min \(twoDigits(whole % 60)) s"
    case ..<86400: return "\(whole / 3600) h \(twoDigits(whole % 3600 / 60)) min"
    default: return "\(whole / 86400) d \(whole % 86400 / 3600) h"
    }
  }

  /// How long ago: `just now`, `5 minutes ago`, `1 hour ago`, `3 days ago`; `in the future` when
  /// the clocks do not agree.
  public static func ago(_ time: UTCTime, now: UTCTime = .now()) -> String {
    let seconds = Int(now.seconds(since: time))
    func some(_ count: Int, _ unit: String) -> String {
      "\(count) \(unit)\(count == 1 ? "" : "s") ago"
    }
    switch seconds {
    case ..<(-60): return "in the future"
    case ..<60: return "just now"
    case ..<3600: return some(seconds / 60, "minute")
    case ..<172_800: return some(seconds / 3600, "hour")
    default: return some(seconds / 86400, "day")
    }
  }

  /// A count with its digits in groups of three: `2,000,000`.
  public static func count(_ number: Int) -> String {
    var digits = Array(String(number.magnitude))
    var index = digits.count - 3
    while index > 0 {
      digits.insert(",", at: index)
      index -= 3
    }
    return (number < 0 ? "-" : "") + String(digits)
  }

  /// `1 table`, `3 tables`.
  public static func plural(_ number: Int, _ noun: String) -> String {
    "\(count(number)) \(noun)\(number == 1 ? "" : "s")"
  }

  private static func twoDigits(_ number: Int) -> String {
    number < 10 ? "0\(number)" : "\(number)"
  }

  /// With a fixed number of decimals; the standard library has no such formatting.
  static func fixed(_ value: Double, _ decimals: Int) -> String {
    let scale = decimals == 0 ? 1.0 : 10.0
    let scaled = Int((abs(value) * scale).rounded())
    let sign = value < 0 && scaled != 0 ? "-" : ""
    guard decimals > 0 else { return "\(sign)\(scaled)" }
    return "\(sign)\(scaled / 10).\(scaled % 10)"
  }
}
