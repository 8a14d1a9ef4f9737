/// How far a run has come.
public struct ProgressState: Hashable, Sendable {
  /// What is being done, such as `copying rows`.
  public var stage: String
  /// Bytes moved so far.
  public var bytes: Int
  /// Bytes to move in all, as far as is known; it may be an estimate.
  public var totalBytes: Int?
  /// Things done so far: tables, migrations, indexes.
  public var items: Int
  public var totalItems: Int?
  /// What the things are, in the plural.
  public var noun: String

  public init(
    stage: String, bytes: Int = 0, totalBytes: Int? = nil, items: Int = 0, totalItems: Int? = nil,
    noun: String = "tables"
  ) {
    self.stage = stage
    self.bytes = bytes
    self.totalBytes = totalBytes
    self.items = items
    self.totalItems = totalItems
    self.noun = noun
  }

  /// The line for a terminal.
  ///
  /// - Parameters:
  ///   - rate: bytes a second over the last seconds; nil at the beginning.
  ///   - elapsed: since the run began.
  func line(rate: Double?, elapsed: Duration) -> String {
    var parts = [stage]
    if bytes > 0 || totalBytes != nil {
      parts.append(Humane.size(bytes) + (totalBytes.map { " of about \(Humane.size($0))" } ?? ""))
      if let rate, rate > 0 { parts.append(Humane.rate(rate)) }
    }
    if let totalItems {
      parts.append("\(Humane.count(items)) of \(Humane.count(totalItems)) \(noun)")
    } else if items > 0 {
      parts.append("\(Humane.count(items)) \(noun)")
    }
    if let left = timeLeft(rate: rate) {
      // Tenths of a second of an estimate are noise.
      let seconds = left.components.seconds
      parts.append((seconds < 60 ? "\(seconds) s" : Humane.duration(left)) + " left")
    } else {
      parts.append(Humane.duration(.seconds(elapsed.components.seconds)))
    }
    return parts.joined(separator: "  ")
  }

  /// nil when it cannot be told.
  func timeLeft(rate: Double?) -> Duration? {
    guard let totalBytes, let rate, rate > 0, totalBytes > bytes else { return nil }
    let seconds = Double(totalBytes - bytes) / rate
    return seconds < 1e7 ? .seconds(seconds.rounded(.up)) : nil
  }
}
