import ByteStream
import Testing

@Suite struct BoundedChannelTests {
  @Test func keepsOrderAndEnds() throws {
    let channel = BoundedChannel<Int>(capacity: 2)
    let group = ThreadGroup(following: Cancellation(), onFailure: { channel.fail($0) })
    group.start("sender") {
      for i in 0..<1000 { try channel.send(i) }
      channel.finish()
    }
    var received: [Int] = []
    while let element = try channel.receive() { received.append(element) }
    try group.join()
    #expect(received == Array(0..<1000))
  }
}
