public import Postgres
import ObjectStore

/// Times that people write, with a zone, to the microsecond.
public enum RecoveryTime {
  /// Reads `2026-11-22 14:30Z`, `2026-11-22T14:30:05.123456+02:00` and the like.
  ///
  /// - Throws: ``PhysicalBackupError/Code/invalidTarget`` for anything else, and for a time
  ///   without a zone: at three in the morning nobody should have to guess which one was meant.
  public static func parse(_ text: String) throws -> ServerTime {
    var rest = Substring(text)
    while rest.last == " " { rest.removeLast() }
    while rest.first == " " { rest.removeFirst() }
    func refuse(_ why: String) -> PhysicalBackupError {
      PhysicalBackupError(
        .invalidTarget,
        "\"\(text)\" \(why); write a time like 2026-11-22 14:30:00Z or "
          + "2026-11-22 14:30:00+01:00")
    }
    func number(_ width: Int) -> Int? {
      let digits = rest.prefix(width)
      guard digits.utf8.count == width, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) })
      else { return nil }
      rest = rest.dropFirst(width)
      return Int(digits)
    }
    func skip(_ characters: Character...) -> Bool {
      guard let first = rest.first, characters.contains(first) else { return false }
      rest.removeFirst()
      return true
    }
    guard let year = number(4), skip("-"), let month = number(2), skip("-"), let day = number(2),
      skip("T", "t", " "), let hour = number(2), skip(":"), let minute = number(2)
    else { throw refuse("is not a date and a time") }
    var second = 0
    var microsecond = 0
    if skip(":") {
      guard let value = number(2) else { throw refuse("has no whole seconds") }
      second = value
      if skip(".", ",") {
        let digits = rest.prefix { $0.isASCII && $0.isNumber }
        guard !digits.isEmpty else { throw refuse("has an empty fraction") }
        rest = rest.dropFirst(digits.count)
        let padded = String(digits.prefix(6)) + String(repeating: "0", count: 6)
        microsecond = Int(padded.prefix(6)) ?? 0
      }
    }
    while rest.first == " " { rest.removeFirst() }
    var offset = 0
    if rest.isEmpty { throw refuse("has no time zone") }
    if ["Z", "z", "UTC", "GMT"].contains(String(rest)) {
      rest = ""
    } else {
      let isWest = rest.first == "-"
      guard skip("+", "-"), let hours = number(2) else { throw refuse("has an unknown time zone") }
      var minutes = 0
      if !rest.isEmpty {
        _ = skip(":")
        guard let value = number(2), rest.isEmpty, value < 60 else {
          throw refuse("has an unknown time zone")
        }
        minutes = value
      }
      guard hours <= 15 else { throw refuse("has an unknown time zone") }
      offset = (isWest ? -1 : 1) * (hours * 3600 + minutes * 60)
    }
    guard
      let time = UTCTime(
        year: year, month: month, day: day, hour: hour, minute: minute, second: second)
    else { throw refuse("is no time that there is") }
    let seconds = time.milliseconds / 1000 - Int64(offset)
    return ServerTime(unixMicroseconds: seconds * 1_000_000 + Int64(microsecond))
  }

  /// `2026-11-22 14:30:00.123456+00`, as PostgreSQL reads and writes it.
  public static func text(_ time: ServerTime) -> String {
    let micro = time.unixMicroseconds
    var seconds = micro / 1_000_000
    var rest = micro % 1_000_000
    if rest < 0 {
      seconds -= 1
      rest += 1_000_000
    }
    let stamp = UTCTime(seconds: seconds).description
    let plain = stamp.dropLast().split(separator: "T").joined(separator: " ")
    guard rest > 0 else { return plain + "+00" }
    let digits = String(rest)
    return plain + "." + String(repeating: "0", count: 6 - digits.utf8.count) + digits + "+00"
  }
}
