import ObjectStore

/// How far another clock is from ours.
enum ClockCheck {
  /// Seconds that clocks may differ.
  private static let tolerance = 60.0

  /// - Parameters:
  ///   - before: our clock when the other one was asked, and `after` when it had answered.
  ///   - failsAt: seconds from which on things do not work.
  static func verdict(
    _ whose: String, _ other: UTCTime, between before: UTCTime, and after: UTCTime,
    failsAt: Double
  ) -> Checklist.Verdict {
    let skew =
      other < before
      ? other.seconds(since: before) : other > after ? other.seconds(since: after) : 0
    let words =
      "\(whose)'s clock is \(Wording.duration(skew)) "
      + (skew > 0 ? "ahead of" : "behind") + " this host's"
    if skew.magnitude >= failsAt {
      return .failure(
        "\(words), so signatures are refused", "Let NTP set this host's clock: timedatectl.")
    }
    if skew.magnitude >= tolerance {
      return .warning(words, "Let NTP set both clocks: timedatectl.")
    }
    return .ok("\(whose)'s clock agrees with this host's")
  }
}
