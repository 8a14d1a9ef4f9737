import Glibc
import Synchronization

/// True the first time it is asked, false from then on.
final class Once: Sendable {
  private let isTaken = Mutex(false)

  func take() -> Bool {
    isTaken.withLock { isTaken in
      defer { isTaken = true }
      return !isTaken
    }
  }
}

/// Waits in tests where another thread has to come first.
enum JobPause {
  static func milliseconds(_ count: UInt32) throws { usleep(count * 1000) }
}
