import ByteStream
import Testing

@Suite struct BlockTests {
  @Test func growsForALargeRowAndShrinksAgain() {
    let block = Block(capacity: 64)
    block.append([UInt8](repeating: 1, count: 60))
    block.append([UInt8](repeating: 2, count: 1000))
    #expect(block.count == 1060)
    #expect(block.bytes[59] == 1)
    #expect(block.bytes[60] == 2)
    block.reset()
    #expect(block.capacity == 64)
    #expect(block.count == 0)
  }

  @Test func truncateForgetsTheEnd() {
    let block = Block(capacity: 8)
    block.append(Array("abcdef".utf8))
    block.truncate(to: 3)
    #expect(Array(block.bytes) == Array("abc".utf8))
  }
}
