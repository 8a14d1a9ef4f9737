/// Numbers and texts as the page has them.
enum Wording {
  /// `3 days`, `5 h`, `12 min`, `40 s`.
  static func duration(_ seconds: Double) -> String {
    let seconds = seconds.magnitude
    if seconds >= 2 * 86_400 { return "\(Int(seconds / 86_400)) days" }
    if seconds >= 2 * 3600 { return "\(Int(seconds / 3600)) h" }
    if seconds >= 120 { return "\(Int(seconds / 60)) min" }
    return "\(Int(seconds)) s"
  }

  static func duration(_ duration: Duration) -> String { Self.duration(duration / .seconds(1)) }

  /// `1.5 GB`.
  static func size(_ bytes: Int) -> String {
    var value = Double(bytes)
    var unit = 0
    let units = ["bytes", "kB", "MB", "GB", "TB", "PB"]
    while value >= 1000, unit + 1 < units.count {
      value /= 1000
      unit += 1
    }
    return unit == 0 ? "\(bytes) bytes" : "\(Double(Int(value * 10)) / 10) \(units[unit])"
  }

  /// The first few of a list, and how many more there are.
  static func some(_ names: [String], of count: Int? = nil) -> String {
    let shown = names.prefix(3)
    let more = (count ?? names.count) - shown.count
    return shown.joined(separator: ", ") + (more > 0 ? " and \(more) more" : "")
  }

  /// With a capital in front and a full stop.
  static func sentence(_ text: String) -> String {
    guard let first = text.first, let last = text.last else { return text }
    return first.uppercased() + text.dropFirst() + (".!?".contains(last) ? "" : ".")
  }
}

extension Wording {
  /// Several lines as one.
  static func oneLine(_ text: String) -> String {
    text.split(separator: "\n").joined(separator: " ")
  }
}
