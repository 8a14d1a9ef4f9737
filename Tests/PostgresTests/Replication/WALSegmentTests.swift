import Postgres
import Testing

@Suite struct WALSegmentTests {
  @Test func namesAreThoseOfPostgreSQL() {
    let size = WALSegment.defaultSize
    let segment = WALSegment(timeline: 1, holding: LSN(rawValue: 0x16_B374_D848), size: size)
    #expect(segment.name == "0000000100000016000000B3")
    #expect(segment.start.description == "16/B3000000")
    #expect(segment.end.description == "16/B4000000")
    let last = WALSegment(timeline: 0xA, holding: LSN(rawValue: 0xFFFF_FFFF), size: size)
    #expect(last.name == "0000000A00000000000000FF")
    #expect(last.next.name == "0000000A0000000100000000")
    #expect(
      WALSegment(timeline: 1, holding: LSN(rawValue: 0x1_4000_0000), size: 1 << 30).name
        == "000000010000000100000001")
  }

  @Test(arguments: [1 << 20, 16 << 20, 1 << 30])
  func namesAreReadBack(size: Int) {
    var position: UInt64 = 1
    for _ in 0..<40 {
      let segment = WALSegment(timeline: 7, holding: LSN(rawValue: position), size: size)
      #expect(WALSegment(name: segment.name, size: size) == segment)
      #expect(segment.start <= LSN(rawValue: position) && LSN(rawValue: position) < segment.end)
      position = position &* 3 &+ 12345
    }
  }

  @Test(arguments: [
    "0000000100000016000000b3", "00000001000000160000001", "000000010000001600000100",
    "000000000000001600000001", "00000001.history", "G00000010000001600000001", "",
  ])
  func otherNamesAreRefused(name: String) {
    #expect(WALSegment(name: name, size: WALSegment.defaultSize) == nil)
  }

  @Test func positionsAreReckonedWith() throws {
    let position = try #require(LSN("1/FFFFFFF0"))
    #expect((position + 32).description == "2/10")
    #expect((position + 32) - position == 32)
    #expect(position - (position + 32) == -32)
    #expect(position.sortable == "00000001FFFFFFF0")
    #expect(LSN(sortable: position.sortable) == position)
    #expect(LSN(sortable: "1/FFFFFFF0") == nil)
  }
}
