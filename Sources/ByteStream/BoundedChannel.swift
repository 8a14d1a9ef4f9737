/// A first-in, first-out queue between threads that holds at most `capacity` elements.
///
/// Senders wait while it is full, receivers while it is empty. Once it has failed, both throw the
/// failure, so a thread that dies never leaves its neighbours waiting.
public final class BoundedChannel<Element: Sendable>: Sendable {
  private struct State {
    var elements: [Element] = []
    var head = 0
    var isFinished = false
    var failure: (any Error)?

    var count: Int { elements.count - head }

    mutating func removeFirst() -> Element {
      let element = elements[head]
      head += 1
      if head >= 64 || head == elements.count {
        elements.removeFirst(head)
        head = 0
      }
      return element
    }
  }

  private let monitor = Monitor(State())
  private let capacity: Int

  /// - Parameter capacity: how many elements may wait to be received; at least 1.
  public init(capacity: Int) {
    precondition(capacity > 0)
    self.capacity = capacity
  }

  /// Appends an element, waiting for room. Throws the failure of a failed channel.
  public func send(_ element: Element) throws {
    try monitor.wait { state -> Void? in
      if let failure = state.failure { throw failure }
      precondition(!state.isFinished, "sent to a finished channel")
      guard state.count < capacity else { return nil }
      state.elements.append(element)
      return ()
    }
  }

  /// Takes the oldest element, waiting for one; nil once the channel is finished and empty.
  public func receive() throws -> Element? {
    try monitor.wait { state -> Element?? in
      if let failure = state.failure { throw failure }
      if state.count > 0 { return .some(state.removeFirst()) }
      return state.isFinished ? .some(nil) : nil
    }
  }

  /// Says that nothing more will be sent. What waits is still received.
  public func finish() { monitor.update { $0.isFinished = true } }

  /// Makes every send and receive, waiting or future, throw `error`. The first failure stays.
  public func fail(_ error: any Error) {
    monitor.update { state in
      if state.failure == nil { state.failure = error }
    }
  }
}
