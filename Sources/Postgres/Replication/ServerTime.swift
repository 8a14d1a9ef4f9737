/// A moment of a server's clock as PostgreSQL counts it: microseconds since 2000-01-01 00:00 UTC.
public struct ServerTime: Hashable, Sendable, Comparable {
  /// Seconds from 1970-01-01 to 2000-01-01.
  private static let epoch: Int64 = 946_684_800

  public var microseconds: Int64

  public init(microseconds: Int64) { self.microseconds = microseconds }

  /// - Parameter unixMicroseconds: microseconds since 1970-01-01 00:00 UTC.
  public init(unixMicroseconds: Int64) {
    microseconds = unixMicroseconds - Self.epoch * 1_000_000
  }

  /// Microseconds since 1970-01-01 00:00 UTC.
  public var unixMicroseconds: Int64 { microseconds + Self.epoch * 1_000_000 }

  public static func < (left: ServerTime, right: ServerTime) -> Bool {
    left.microseconds < right.microseconds
  }
}
