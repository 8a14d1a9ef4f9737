import Glibc
import Synchronization

/// What has to be undone when the test process ends: servers stopped, directories removed.
final class AtExit: Sendable {
  static let shared = AtExit()

  private struct Entry {
    let owner: ObjectIdentifier
    let action: @Sendable () -> Void
  }
  private let entries = Mutex<[Entry]>([])

  private init() {
    atexit { AtExit.shared.runAll() }
  }

  /// Runs `action` at the end of the process, unless `drop` comes first. The last one kept runs
  /// first.
  func keep(_ owner: ObjectIdentifier, _ action: @escaping @Sendable () -> Void) {
    entries.withLock { $0.append(Entry(owner: owner, action: action)) }
  }

  /// Forgets what `owner` has asked for.
  func drop(_ owner: ObjectIdentifier) {
    entries.withLock { $0.removeAll { $0.owner == owner } }
  }

  private func runAll() {
    while let entry = entries.withLock({ $0.popLast() }) { entry.action() }
  }
}
