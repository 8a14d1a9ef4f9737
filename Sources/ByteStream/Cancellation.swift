import Synchronization

/// Says that the work it was given to should stop, from whichever thread.
///
/// One value is made for each run of a command; a signal handler or a failed sibling cancels it.
/// Long loops call ``check()``; what waits in a system call registers a handler that wakes it.
public final class Cancellation: Sendable {
  /// Why a run was stopped; thrown by ``Cancellation/check()``.
  public struct Cancelled: Error, Hashable, Sendable, CustomStringConvertible {
    public let reason: String
    public init(reason: String) { self.reason = reason }
    public var description: String { reason }
  }

  /// Keeps a handler registered; ``remove()`` takes it back.
  public struct Registration: Sendable {
    fileprivate let owner: Cancellation
    fileprivate let key: Int

    /// Takes the handler back. It may still be running on another thread.
    public func remove() { owner.state.withLock { _ = $0.handlers.removeValue(forKey: key) } }
  }

  private struct State {
    var reason: String?
    var handlers: [Int: @Sendable () -> Void] = [:]
    var nextKey = 0
  }

  private let state = Mutex(State())

  public init() {}

  /// Whether somebody has asked to stop.
  public var isCancelled: Bool { state.withLock { $0.reason != nil } }

  /// Why, once somebody has asked to stop.
  public var reason: String? { state.withLock { $0.reason } }

  /// Throws ``Cancelled`` once somebody has asked to stop.
  public func check() throws {
    if let reason { throw Cancelled(reason: reason) }
  }

  /// Asks the work to stop. The first reason stays; handlers run once, on this thread.
  public func cancel(reason: String) {
    let handlers: [@Sendable () -> Void] = state.withLock { state in
      guard state.reason == nil else { return [] }
      state.reason = reason
      defer { state.handlers.removeAll() }
      return Array(state.handlers.values)
    }
    for handler in handlers { handler() }
  }

  /// Runs `handler` when this is cancelled; at once, on this thread, when it already is.
  @discardableResult
  public func onCancel(_ handler: @escaping @Sendable () -> Void) -> Registration {
    let key: Int? = state.withLock { state in
      guard state.reason == nil else { return nil }
      state.nextKey += 1
      state.handlers[state.nextKey] = handler
      return state.nextKey
    }
    if key == nil { handler() }
    return Registration(owner: self, key: key ?? 0)
  }

  /// A new cancellation that follows this one, but can be cancelled alone.
  public func child() -> Cancellation {
    let child = Cancellation()
    onCancel { [weak child, weak self] in child?.cancel(reason: self?.reason ?? "cancelled") }
    return child
  }
}
