import Foundation
import Glibc
import Synchronization

/// A server that a test has started: its output goes to a file, and it dies with this process.
final class ServerProcess: Sendable {
  let pid: pid_t
  /// The file with all that it has written.
  let log: String
  private let name: String
  private let ending = Mutex<Int32?>(nil)

  /// - Parameter quickStop: the signal that ends it at once when the test process ends.
  init(_ child: ChildProcess, log: String, quickStop: Int32) throws {
    self.log = log
    name = child.executable
    let null = open("/dev/null", O_RDONLY | O_CLOEXEC)
    let file = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
    defer {
      close(null)
      close(file)
    }
    guard null >= 0, file >= 0 else {
      throw TestSupportError("cannot open \(log): \(String(cString: strerror(errno)))")
    }
    pid = try child.start(input: null, output: file, error: file)
    AtExit.shared.keep(ObjectIdentifier(self)) { [weak self] in
      self?.signal(quickStop)
      try? self?.waitForEnd(timeout: .seconds(10))
    }
  }

  deinit {
    AtExit.shared.drop(ObjectIdentifier(self))
    if isRunning {
      kill()
      try? waitForEnd(timeout: .seconds(10))
    }
  }

  /// Whether it still runs.
  var isRunning: Bool {
    ending.withLock { ending in
      if ending != nil { return false }
      var status: Int32 = 0
      guard waitpid(pid, &status, WNOHANG) == pid else { return true }
      ending = status
      return false
    }
  }

  /// Sends a signal to it, if it still runs.
  func signal(_ signal: Int32) {
    ending.withLock { if $0 == nil { _ = Glibc.kill(pid, signal) } }
  }

  /// Kills it and its group.
  func kill() {
    ending.withLock { if $0 == nil { _ = Glibc.kill(-pid, SIGKILL) } }
  }

  /// Waits until `ready` says so. Throws when the server ends first, or after `timeout`.
  func waitUntil(timeout: Duration, _ ready: () -> Bool) throws {
    let limit = ContinuousClock.now + timeout
    while !ready() {
      guard isRunning else { throw TestSupportError("\(name) ended: \(logEnd)") }
      guard .now < limit else {
        kill()
        throw TestSupportError("\(name) is not ready after \(timeout): \(logEnd)")
      }
      usleep(10_000)
    }
  }

  /// Waits until it has ended; kills it and throws after `timeout`.
  func waitForEnd(timeout: Duration) throws {
    let limit = ContinuousClock.now + timeout
    while isRunning {
      guard .now < limit else {
        kill()
        throw TestSupportError("\(name) has not stopped after \(timeout): \(logEnd)")
      }
      usleep(5_000)
    }
  }

  /// The end of its output.
  var logEnd: String {
    let data = FileManager.default.contents(atPath: log) ?? Data()
    return String(decoding: data.suffix(3000), as: UTF8.self)
  }
}
