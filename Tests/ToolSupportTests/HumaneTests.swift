import ObjectStore
import Testing
import ToolSupport

@Suite struct HumaneTests {
  @Test(arguments: [
    (0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (9940, "9.9 kB"), (9960, "10 kB"),
    (999_499, "999 kB"), (999_600, "1.0 MB"), (141_000_000, "141 MB"), (-2000, "-2.0 kB"),
    (Int.max, "9.2 EB"),
  ])
  func sizes(bytes: Int, text: String) { #expect(Humane.size(bytes) == text) }

  @Test(arguments: [
    (Duration.milliseconds(12), "12 ms"), (.milliseconds(999), "999 ms"),
    (.milliseconds(4240), "4.2 s"), (.milliseconds(59_990), "1 min 00 s"),
    (.seconds(185), "3 min 05 s"), (.seconds(7620), "2 h 07 min"), (.seconds(273_600), "3 d 4 h"),
    (.seconds(-1), "0 ms"),
  ])
  func durations(duration: Duration, text: String) { #expect(Humane.duration(duration) == text) }

  @Test(arguments: [
    (Int64(0), "just now"), (60, "1 minute ago"), (7200, "2 hours ago"), (259_200, "3 days ago"),
    (-120, "in the future"), (-5, "just now"),
  ])
  func agesOfThings(seconds: Int64, text: String) {
    let now = UTCTime(seconds: 1_800_000_000)
    #expect(Humane.ago(now.adding(seconds: -seconds), now: now) == text)
  }

  @Test func counts() {
    #expect(Humane.count(0) == "0")
    #expect(Humane.count(999) == "999")
    #expect(Humane.count(-2_000_000) == "-2,000,000")
    #expect(Humane.plural(1, "table") == "1 table")
    #expect(Humane.plural(1200, "table") == "1,200 tables")
  }
}
