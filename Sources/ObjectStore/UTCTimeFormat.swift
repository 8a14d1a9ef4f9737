extension UTCTime: CustomStringConvertible {
  /// `2026-11-22T14:30:00Z`, with milliseconds where there are any (RFC 3339).
  public var description: String {
    let f = fields
    let seconds = "\(date)T\(two(f.hour)):\(two(f.minute)):\(two(f.second))"
    guard f.millisecond > 0 else { return seconds + "Z" }
    return seconds + "." + padded(f.millisecond, 3) + "Z"
  }

  /// `2026-11-22`.
  public var date: String {
    let f = fields
    return "\(padded(f.year, 4))-\(two(f.month))-\(two(f.day))"
  }

  /// `20261122T143000Z`: in object names and in SigV4, cut to the second.
  public var compact: String {
    let f = fields
    return "\(compactDate)T\(two(f.hour))\(two(f.minute))\(two(f.second))Z"
  }

  /// `20261122`.
  public var compactDate: String {
    let f = fields
    return padded(f.year, 4) + two(f.month) + two(f.day)
  }

  private func two(_ number: Int) -> String { padded(number, 2) }

  private func padded(_ number: Int, _ width: Int) -> String {
    let text = String(number)
    return String(repeating: "0", count: max(0, width - text.count)) + text
  }

  /// Reads ``description``'s form, also with other fractions and with an offset such as
  /// `+02:00`, and ``compact``'s.
  public init?(_ text: some StringProtocol) {
    var rest = Digits(Array(text.utf8))
    let dashed = text.utf8.count > 4 && Array(text.utf8)[4] == UInt8(ascii: "-")
    guard let year = rest.number(4), !dashed || rest.skip("-"), let month = rest.number(2),
      !dashed || rest.skip("-"), let day = rest.number(2), rest.skip("T") || rest.skip(" "),
      let hour = rest.number(2), !dashed || rest.skip(":"), let minute = rest.number(2),
      !dashed || rest.skip(":"), let second = rest.number(2)
    else { return nil }
    let millisecond = rest.skip(".") ? rest.fraction() : 0
    guard let millisecond, let offset = rest.offset(), rest.isAtEnd,
      let time = UTCTime(
        year: year, month: month, day: day, hour: hour, minute: minute, second: second,
        millisecond: millisecond)
    else { return nil }
    self = time.adding(seconds: -Int64(offset) * 60)
  }

  /// Reads an HTTP date, RFC 9110 section 5.6.7: `Sun, 06 Nov 1994 08:49:37 GMT`.
  public init?(httpDate text: some StringProtocol) {
    let words = text.split(separator: " ")
    let months = [
      "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]
    guard words.count == 6, words[5] == "GMT", let day = Int(words[1]),
      let month = months.firstIndex(of: String(words[2])), let year = Int(words[3])
    else { return nil }
    let clock = words[4].split(separator: ":").compactMap { Int($0) }
    guard clock.count == 3,
      let time = UTCTime(
        year: year, month: month + 1, day: day, hour: clock[0], minute: clock[1],
        second: clock[2])
    else { return nil }
    self = time
  }
}

/// A cursor over the digits of a time.
private struct Digits {
  private let bytes: [UInt8]
  private var position = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  var isAtEnd: Bool { position == bytes.count }

  mutating func number(_ width: Int) -> Int? {
    guard position + width <= bytes.count else { return nil }
    var value = 0
    for byte in bytes[position..<position + width] {
      guard (0x30...0x39).contains(byte) else { return nil }
      value = value * 10 + Int(byte - 0x30)
    }
    position += width
    return value
  }

  mutating func skip(_ character: Unicode.Scalar) -> Bool {
    guard position < bytes.count, bytes[position] == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  /// Milliseconds of a fraction of a second with any number of digits.
  mutating func fraction() -> Int? {
    var digits = 0
    var value = 0
    while let digit = number(1) {
      if digits < 3 { value = value * 10 + digit }
      digits += 1
    }
    guard digits > 0 else { return nil }
    for _ in min(digits, 3)..<3 { value *= 10 }
    return value
  }

  /// Minutes east of Greenwich.
  mutating func offset() -> Int? {
    if skip("Z") || skip("z") { return 0 }
    let sign = skip("+") ? 1 : skip("-") ? -1 : 0
    guard sign != 0, let hours = number(2) else { return nil }
    if isAtEnd { return sign * hours * 60 }
    _ = skip(":")
    guard let minutes = number(2) else { return nil }
    return sign * (hours * 60 + minutes)
  }
}

extension UTCTime: Codable {
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    guard let time = UTCTime(text) else {
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "not a time in the form 2026-11-22T14:30:00Z")
    }
    self = time
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}
