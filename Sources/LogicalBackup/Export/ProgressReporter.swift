import Synchronization

/// Keeps an export's progress and passes it on.
final class ProgressReporter: Sendable {
  private let state = Mutex(ExportProgress())
  private let handler: @Sendable (ExportProgress) -> Void

  init(_ handler: @escaping @Sendable (ExportProgress) -> Void) { self.handler = handler }

  func update(_ change: (inout ExportProgress) -> Void) {
    let now = state.withLock { state in
      change(&state)
      return state
    }
    handler(now)
  }
}
