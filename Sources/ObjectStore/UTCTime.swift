// timespec's members count as CCurl's here: both modules include the header that declares it.
import CCurl
import Glibc

/// A moment, to the millisecond, in UTC: what stores, manifests and retention reckon with.
public struct UTCTime: Hashable, Comparable, Sendable {
  /// Milliseconds since 1970-01-01T00:00:00Z, leap seconds not counted.
  public var milliseconds: Int64

  public init(milliseconds: Int64) { self.milliseconds = milliseconds }

  public init(seconds: Int64) { milliseconds = seconds * 1000 }

  /// A calendar date and time; nil when there is no such day or time of day.
  public init?(
    year: Int, month: Int, day: Int, hour: Int = 0, minute: Int = 0, second: Int = 0,
    millisecond: Int = 0
  ) {
    guard (1...9999).contains(year), (1...12).contains(month),
      (1...UTCTime.days(inMonth: month, of: year)).contains(day), (0...23).contains(hour),
      (0...59).contains(minute), (0...60).contains(second), (0...999).contains(millisecond)
    else { return nil }
    let days = UTCTime.dayNumber(year: year, month: month, day: day)
    milliseconds =
      (Int64(days) * 86400 + Int64(hour * 3600 + minute * 60 + second)) * 1000
      + Int64(millisecond)
  }

  /// This machine's clock.
  public static func now() -> UTCTime {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return UTCTime(time)
  }

  init(_ time: timespec) {
    milliseconds = Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
  }

  public static func < (a: UTCTime, b: UTCTime) -> Bool { a.milliseconds < b.milliseconds }

  /// The moment that many seconds later, or earlier when negative.
  public func adding(seconds: Int64) -> UTCTime {
    UTCTime(milliseconds: milliseconds + seconds * 1000)
  }

  /// The moment that many times 24 hours later, or earlier when negative.
  public func adding(days: Int) -> UTCTime { adding(seconds: Int64(days) * 86400) }

  /// Seconds from an earlier moment to this one; negative when it is a later one.
  public func seconds(since earlier: UTCTime) -> Double {
    Double(milliseconds - earlier.milliseconds) / 1000
  }

  // MARK: Calendar

  /// The Gregorian calendar's fields in UTC.
  public struct Fields: Hashable, Sendable {
    public var year, month, day, hour, minute, second, millisecond: Int
    /// 0 is Sunday.
    public var weekday: Int
  }

  /// Days since 1970-01-01 in UTC.
  public var dayNumber: Int {
    Int((Double(milliseconds) / 86_400_000).rounded(.down))
  }

  public var fields: Fields {
    let (year, month, day) = UTCTime.date(ofDay: dayNumber)
    let rest = Int(milliseconds - Int64(dayNumber) * 86_400_000)
    return Fields(
      year: year, month: month, day: day, hour: rest / 3_600_000, minute: rest / 60000 % 60,
      second: rest / 1000 % 60, millisecond: rest % 1000,
      weekday: ((dayNumber % 7) + 11) % 7)
  }

  private static func days(inMonth month: Int, of year: Int) -> Int {
    switch month {
    case 2: (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }

  /// Counts from 1 March of year 0, so that the leap day comes last in its year, in eras of 400
  /// years, which all have 146,097 days.
  private static func dayNumber(year: Int, month: Int, day: Int) -> Int {
    let y = month <= 2 ? year - 1 : year
    let era = (y >= 0 ? y : y - 399) / 400
    let yearOfEra = y - era * 400
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return era * 146097 + dayOfEra - 719468
  }

  private static func date(ofDay number: Int) -> (year: Int, month: Int, day: Int) {
    let z = number + 719468
    let era = (z >= 0 ? z : z - 146096) / 146097
    let dayOfEra = z - era * 146097
    let yearOfEra =
      (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shifted = (5 * dayOfYear + 2) / 153
    let month = shifted + (shifted < 10 ? 3 : -9)
    return (
      yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month,
      dayOfYear - (153 * shifted + 2) / 5 + 1
    )
  }
}
