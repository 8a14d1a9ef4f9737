/// Threads that work on one task: when one fails, the others are told to stop, and the first
/// failure is what the task throws.
public final class ThreadGroup: Sendable {
  private struct State {
    var running = 0
    var failure: (any Error)?
  }

  private let monitor = Monitor(State())
  /// Cancelled when a member fails, or when the parent is cancelled. Members pass it on.
  public let cancellation: Cancellation
  private let onFailure: @Sendable (any Error) -> Void

  /// - Parameters:
  ///   - cancellation: the run's; cancelling it stops the group, not the other way round.
  ///   - onFailure: called once, with the first failure: fail the channels and pools there.
  public init(
    following cancellation: Cancellation,
    onFailure: @escaping @Sendable (any Error) -> Void = { _ in }
  ) {
    self.cancellation = cancellation.child()
    self.onFailure = onFailure
    self.cancellation.onCancel { [weak self] in
      guard let self, let reason = self.cancellation.reason else { return }
      self.fail(Cancellation.Cancelled(reason: reason))
    }
  }

  /// Starts a member on a thread of its own.
  public func start(_ name: String, _ body: @escaping @Sendable () throws -> Void) {
    monitor.update { $0.running += 1 }
    JobThread.start(name) {
      do { try body() } catch { self.fail(error) }
      self.monitor.update { $0.running -= 1 }
    }
  }

  /// Makes the group fail as if a member had thrown `error`.
  public func fail(_ error: any Error) {
    let isFirst = monitor.update { state -> Bool in
      guard state.failure == nil else { return false }
      state.failure = error
      return true
    }
    guard isFirst else { return }
    onFailure(error)
    cancellation.cancel(reason: "another part of the work failed")
  }

  /// Waits until every member has ended, then throws the first failure if there was one.
  public func join() throws {
    let failure = monitor.wait { state -> (any Error)?? in
      state.running == 0 ? .some(state.failure) : nil
    }
    if let failure { throw failure }
  }
}
