import Foundation
import Synchronization

/// The one thread that starts child processes.
///
/// Children ask the kernel for a signal at their parent's death (`setpriv --pdeathsig`), and for
/// the kernel the parent is the *thread* that made them: a child of a pool's thread would die when
/// the pool retires that thread. This thread lives as long as the process.
final class SpawnThread: @unchecked Sendable {
  // Sendable: `requests` is only touched while `condition` is locked.
  static let shared = SpawnThread()

  private let condition = NSCondition()
  private var requests: [@Sendable () -> Void] = []

  private init() {
    Thread { [self] in
      while true {
        condition.lock()
        while requests.isEmpty { condition.wait() }
        let request = requests.removeFirst()
        condition.unlock()
        request()
      }
    }.start()
  }

  /// Runs `body` on the thread and gives back its result.
  func run<T: Sendable>(_ body: @escaping @Sendable () -> T) -> T {
    let answer = Answer<T>()
    condition.lock()
    requests.append {
      let value = body()
      answer.value.withLock { $0 = value }
      answer.given.signal()
    }
    condition.signal()
    condition.unlock()
    while true {
      answer.given.wait()
      if let value = answer.value.withLock({ $0 }) { return value }
    }
  }

  private final class Answer<T: Sendable>: Sendable {
    let value = Mutex<T?>(nil)
    let given = DispatchSemaphore(value: 0)
  }
}
