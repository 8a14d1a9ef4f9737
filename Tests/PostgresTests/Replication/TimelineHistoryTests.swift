import Postgres
import Testing

@Suite struct TimelineHistoryTests {
  private let file = Array(
    """
    1\t0/3000148\tno recovery target specified

    # a comment
    2\t0/5000060\tbefore 2026-11-22 10:00:00+00
    """.utf8)

  @Test func aFileIsRead() throws {
    let history = try TimelineHistory(timeline: 3, file: file)
    #expect(history.ancestors.map(\.timeline) == [1, 2])
    #expect(history.ancestors.map(\.end.description) == ["0/3000148", "0/5000060"])
    #expect(history.fileName == "00000003.history")
    #expect(history.timeline(at: LSN(rawValue: 0x3000147)) == 1)
    #expect(history.timeline(at: LSN(rawValue: 0x3000148)) == 2)
    #expect(history.timeline(at: LSN(rawValue: 0x5000060)) == 3)
    #expect(history.contains(2) && history.contains(3) && !history.contains(4))
    let steps = history.steps
    #expect(steps.map(\.timeline) == [1, 2, 3])
    #expect(steps[1].start == steps[0].end)
    #expect(steps[2].end == nil)
  }

  @Test(arguments: [
    "one 0/3000148", "1", "1 0", "2 0/5\n1 0/6", "1 0/6\n2 0/5", "3 0/5", "4 0/5",
  ])
  func aMalformedFileIsRefused(text: String) {
    #expect(throws: PostgresError.self) {
      _ = try TimelineHistory(timeline: 3, file: Array(text.utf8))
    }
  }

  @Test func namesOfFilesAreRead() {
    #expect(TimelineHistory.timeline(ofFile: "0000000A.history") == 10)
    #expect(TimelineHistory.timeline(ofFile: "A.history") == nil)
    #expect(TimelineHistory.timeline(ofFile: "000000010000001600000001") == nil)
  }
}
