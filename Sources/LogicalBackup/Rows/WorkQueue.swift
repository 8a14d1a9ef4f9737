import Synchronization

/// Work that several threads take from, each piece once.
final class WorkQueue<Element: Sendable>: Sendable {
  private let state: Mutex<(elements: [Element], next: Int)>

  init(_ elements: [Element]) { state = Mutex((elements, 0)) }

  /// The next piece; nil when there is none left.
  func take() -> Element? {
    state.withLock { state in
      guard state.next < state.elements.count else { return nil }
      defer { state.next += 1 }
      return state.elements[state.next]
    }
  }

  /// Adds a piece at the end.
  func put(_ element: Element) { state.withLock { $0.elements.append(element) } }
}
