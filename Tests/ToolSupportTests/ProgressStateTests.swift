import Testing

@testable import ToolSupport

@Suite struct ProgressStateTests {
  @Test func saysBytesRateTablesAndTimeLeft() {
    let state = ProgressState(
      stage: "copying rows", bytes: 1_000_000_000, totalBytes: 4_000_000_000, items: 12,
      totalItems: 34)
    #expect(
      state.line(rate: 200_000_000, elapsed: .seconds(5))
        == "copying rows  1.0 GB of about 4.0 GB  200 MB/s  12 of 34 tables  15 s left")
  }

  @Test func saysTheTimeSpentWhereNoEndIsKnown() {
    let state = ProgressState(stage: "locking tables", items: 3)
    #expect(
      state.line(rate: nil, elapsed: .milliseconds(65_400))
        == "locking tables  3 tables  1 min 05 s")
    #expect(ProgressState(stage: "x", bytes: 5, totalBytes: 5).timeLeft(rate: 1) == nil)
    #expect(ProgressState(stage: "x", bytes: 0, totalBytes: 5).timeLeft(rate: 0) == nil)
  }
}
