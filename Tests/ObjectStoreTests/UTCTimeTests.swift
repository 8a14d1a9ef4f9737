import Foundation
import ObjectStore
import Testing

@Suite struct UTCTimeTests {
  @Test(arguments: [
    ("1970-01-01T00:00:00Z", Int64(0)), ("2026-11-22T14:30:00Z", 1_795_357_800_000),
    ("2026-11-22T14:30:00.250Z", 1_795_357_800_250), ("2000-02-29T23:59:59Z", 951_868_799_000),
    ("1969-12-31T23:59:59.999Z", -1), ("2100-03-01T00:00:00Z", 4_107_542_400_000),
  ])
  func bothWays(_ text: String, _ milliseconds: Int64) {
    #expect(UTCTime(text)?.milliseconds == milliseconds)
    #expect(UTCTime(milliseconds: milliseconds).description == text)
  }

  @Test func agreesWithFoundation() throws {
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = try #require(TimeZone(identifier: "UTC"))
    var generator = SystemRandomNumberGenerator()
    for _ in 0..<2000 {
      let seconds = Int64.random(in: -2_000_000_000...10_000_000_000, using: &generator)
      let parts = calendar.dateComponents(
        [.year, .month, .day, .hour, .minute, .second, .weekday],
        from: Date(timeIntervalSince1970: Double(seconds)))
      let time = UTCTime(seconds: seconds)
      let fields = time.fields
      #expect(
        [fields.year, fields.month, fields.day, fields.hour, fields.minute, fields.second]
          == [parts.year, parts.month, parts.day, parts.hour, parts.minute, parts.second])
      #expect(fields.weekday + 1 == parts.weekday)
      #expect(UTCTime(time.description) == time)
      #expect(UTCTime(time.compact) == time)
    }
  }

  @Test func readsOtherForms() {
    let time = UTCTime("2026-11-22T14:30:00Z")
    #expect(UTCTime("20261122T143000Z") == time)
    #expect(UTCTime("2026-11-22 15:30:00+01") == time)
    #expect(UTCTime("2026-11-22T09:00:00.000000-05:30") == time)
    #expect(UTCTime(httpDate: "Sun, 22 Nov 2026 14:30:00 GMT") == time)
    #expect(time?.compact == "20261122T143000Z")
  }

  @Test(arguments: [
    "", "2026", "2026-11-22", "2026-13-01T00:00:00Z", "2026-02-29T00:00:00Z",
    "2026-11-22T24:00:00Z", "2026-11-22T14:30:00", "2026-11-22T14:30:00Zx",
    "2026-11-22T14:30:00.Z", "2026-11-2T14:30:00Z",
  ])
  func refusesOtherText(_ text: String) { #expect(UTCTime(text) == nil) }

  @Test func codesAsText() throws {
    let time = try #require(UTCTime("2026-11-22T14:30:00.125Z"))
    let data = try JSONEncoder().encode([time])
    #expect(String(decoding: data, as: UTF8.self) == "[\"2026-11-22T14:30:00.125Z\"]")
    #expect(try JSONDecoder().decode([UTCTime].self, from: data) == [time])
  }
}
