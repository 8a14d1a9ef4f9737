import ByteStream
import Synchronization
import Testing

@Suite struct ThreadGroupTests {
  struct Broken: Error, Equatable {}

  @Test func joinsAfterEveryMember() throws {
    let group = ThreadGroup(following: Cancellation())
    let sum = Mutex(0)
    for number in 1...20 {
      group.start("member") { sum.withLock { $0 += number } }
    }
    try group.join()
    #expect(sum.withLock { $0 } == 210)
  }

  @Test func firstFailureStopsTheOthers() throws {
    let channel = BoundedChannel<Int>(capacity: 1)
    let group = ThreadGroup(following: Cancellation(), onFailure: { channel.fail($0) })
    group.start("waits") {
      while try channel.receive() != nil {}
    }
    group.start("breaks") { throw Broken() }
    #expect(throws: Broken.self) { try group.join() }
    #expect(group.cancellation.isCancelled)
  }

  @Test func cancellingTheRunFailsTheGroup() throws {
    let run = Cancellation()
    let pool = BlockPool(limit: 1, blockCapacity: 16)
    let group = ThreadGroup(following: run, onFailure: { pool.fail($0) })
    group.start("takes") {
      let block = try pool.take()
      defer { pool.giveBack(block) }
      _ = try pool.take()
    }
    run.cancel(reason: "interrupted")
    #expect(throws: Cancellation.Cancelled(reason: "interrupted")) { try group.join() }
  }
}
