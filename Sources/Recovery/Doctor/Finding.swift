/// What the doctor found about one thing.
public struct Finding: Hashable, Sendable {
  /// Worse is greater.
  public enum Level: String, Hashable, Sendable, Comparable, CaseIterable {
    case ok
    case warning
    case failure

    public static func < (left: Level, right: Level) -> Bool { left.rank < right.rank }

    private var rank: Int {
      switch self {
      case .ok: 0
      case .warning: 1
      case .failure: 2
      }
    }
  }

  /// `AREA.THING`, such as `storage.write`. Stays as it is: monitors may go by it.
  public let name: String
  public let level: Level
  /// What is so, in whole sentences.
  public let message: String
  /// What to do about it; empty when it is well.
  public let advice: String

  public init(_ name: String, _ level: Level, _ message: String, advice: String = "") {
    self.name = name
    self.level = level
    self.message = message
    self.advice = advice
  }

  /// `database`, `storage` or `backup`.
  public var area: String { String(name.prefix { $0 != "." }) }
}
