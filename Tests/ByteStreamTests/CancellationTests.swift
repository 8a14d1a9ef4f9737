import ByteStream
import Synchronization
import Testing

@Suite struct CancellationTests {
  @Test func runsHandlersOnceAndKeepsTheFirstReason() {
    let cancellation = Cancellation()
    let calls = Mutex(0)
    cancellation.onCancel { calls.withLock { $0 += 1 } }
    cancellation.cancel(reason: "first")
    cancellation.cancel(reason: "second")
    #expect(calls.withLock { $0 } == 1)
    #expect(cancellation.reason == "first")
    #expect(throws: Cancellation.Cancelled(reason: "first")) { try cancellation.check() }
  }

  @Test func handlerAddedLateRunsAtOnce() {
    let cancellation = Cancellation()
    cancellation.cancel(reason: "early")
    let calls = Mutex(0)
    cancellation.onCancel { calls.withLock { $0 += 1 } }
    #expect(calls.withLock { $0 } == 1)
  }

  @Test func removedHandlerDoesNotRun() {
    let cancellation = Cancellation()
    let calls = Mutex(0)
    let registration = cancellation.onCancel { calls.withLock { $0 += 1 } }
    registration.remove()
    cancellation.cancel(reason: "later")
    #expect(calls.withLock { $0 } == 0)
  }

  @Test func childFollowsItsParentOnly() {
    let parent = Cancellation()
    let child = parent.child()
    let sibling = parent.child()
    sibling.cancel(reason: "alone")
    #expect(!parent.isCancelled)
    #expect(!child.isCancelled)
    parent.cancel(reason: "all")
    #expect(child.reason == "all")
    #expect(sibling.reason == "alone")
  }
}
