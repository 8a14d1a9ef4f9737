import Crypto
public import ObjectStore

/// A backup's name: when it was begun, and eight digits.
///
/// Written `20261122T020000Z-1f9a1c2b`: the first three digits are the milliseconds of the second,
/// the others are random, so that names sort by time and no two backups collide.
public struct BackupID: Hashable, Comparable, Sendable, CustomStringConvertible {
  /// When the backup was begun, to the second, by the clock of the host that made it.
  public let time: UTCTime
  /// Eight hexadecimal digits.
  public let digits: String

  /// A new name for a backup that begins at `time`.
  public init(at time: UTCTime) throws {
    let random = Hex.encode(try SecureRandom.bytes(4)).suffix(5)
    let milliseconds = time.milliseconds - Self.second(of: time).milliseconds
    let hex = String(milliseconds, radix: 16)
    self.init(time, digits: String(repeating: "0", count: 3 - hex.count) + hex + random)
  }

  /// The name that a text spells whole; nil for any other text.
  public init?(_ text: some StringProtocol) {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 2, parts[0].utf8.count == 16, parts[1].utf8.count == 8,
      Hex.decode(parts[1]) != nil, parts[1] == parts[1].lowercased(),
      let time = UTCTime(parts[0]), time.compact == parts[0]
    else { return nil }
    self.init(time, digits: String(parts[1]))
  }

  private init(_ time: UTCTime, digits: String) {
    self.time = Self.second(of: time)
    self.digits = digits
  }

  private static func second(of time: UTCTime) -> UTCTime {
    UTCTime(seconds: Int64((Double(time.milliseconds) / 1000).rounded(.down)))
  }

  public var description: String { "\(time.compact)-\(digits)" }

  /// Whether somebody who types `text` may mean this backup: the beginning of the whole name, or
  /// of its digits.
  public func answers(to text: String) -> Bool {
    !text.isEmpty && (description.hasPrefix(text) || digits.hasPrefix(text.lowercased()))
  }

  /// Earlier first.
  public static func < (a: BackupID, b: BackupID) -> Bool {
    a.time == b.time ? a.digits < b.digits : a.time < b.time
  }
}

extension BackupID: Codable {
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    guard let id = BackupID(try container.decode(String.self)) else {
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "not a backup's name")
    }
    self = id
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}
