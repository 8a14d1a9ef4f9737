import Foundation
import Glibc
import Synchronization

/// A process that runs, with its output being collected.
///
/// A thread of its own moves the bytes of all three pipes, so that no side waits for the other.
public final class RunningCommand: Sendable {
  private struct State {
    var output: [UInt8] = []
    var errorOutput: [UInt8] = []
    /// Whether the process was waited for: from then on its id may be another's.
    var reaped = false
    var peakResidentBytes = 0
    var result: CommandResult?
  }

  /// The process id; also the id of the process group that it leads.
  public let pid: Int32
  private let command: String
  private let started: ContinuousClock.Instant
  private let state: Mutex<State>
  private let ended = DispatchSemaphore(value: 0)

  init(_ child: ChildProcess, input: [UInt8]) throws {
    started = .now
    command = ([child.executable] + child.arguments).joined(separator: " ")
    state = Mutex(State())
    let pipes = (try ChildProcess.pipe(), try ChildProcess.pipe(), try ChildProcess.pipe())
    defer { for descriptor in [pipes.0.read, pipes.1.write, pipes.2.write] { close(descriptor) } }
    pid = try child.start(input: pipes.0.read, output: pipes.1.write, error: pipes.2.write)
    let ours = [pipes.0.write, pipes.1.read, pipes.2.read]
    Thread { [self] in pump(input, into: ours[0], output: ours[1], error: ours[2]) }.start()
  }

  /// Sends `signal` to the process.
  public func signal(_ signal: Int32) {
    state.withLock { if !$0.reaped { _ = Glibc.kill(pid, signal) } }
  }

  /// Kills the process and all that it started in its group.
  public func kill() {
    state.withLock { if !$0.reaped { _ = Glibc.kill(-pid, SIGKILL) } }
  }

  /// Whether the process has not ended yet.
  public var isRunning: Bool { state.withLock { $0.result == nil } }

  /// What it has written to its standard output up to now, as text.
  public var textSoFar: String { state.withLock { String(decoding: $0.output, as: UTF8.self) } }

  /// What it has written to its standard error up to now, as text.
  public var errorTextSoFar: String {
    state.withLock { String(decoding: $0.errorOutput, as: UTF8.self) }
  }

  /// Waits for the end. After `timeout` the process and its group are killed, and an error is thrown.
  public func wait(timeout: Duration = .seconds(120)) throws -> CommandResult {
    let limit = started + timeout
    while true {
      if let result = state.withLock({ $0.result }) { return result }
      let left = limit - .now
      guard left > .zero else { break }
      let seconds = Double(left.components.seconds) + Double(left.components.attoseconds) / 1e18
      _ = ended.wait(timeout: .now() + min(seconds, 1))
    }
    kill()
    throw TestSupportError(
      """
      not ended after \(timeout): \(command)
      its output ends: \(textSoFar.suffix(2000))
      its error output ends: \(errorTextSoFar.suffix(2000))
      """)
  }

  /// Moves bytes until the process has ended and its pipes are empty.
  private func pump(_ bytes: [UInt8], into input: Int32, output: Int32, error: Int32) {
    var descriptors = [input, output, error]
    for descriptor in descriptors { _ = fcntl(descriptor, F_SETFL, O_NONBLOCK) }
    // A child that reads no input must not kill this process.
    Glibc.signal(SIGPIPE, SIG_IGN)
    var buffer = [UInt8](repeating: 0, count: 65536)
    var sent = 0
    var status: Int32?
    var lastLook = ContinuousClock.now
    // What a grandchild that keeps the pipes open may still write is not waited for.
    var ticksAfterEnd = 0

    while true {
      if descriptors[0] >= 0, sent == bytes.count {
        close(descriptors[0])
        descriptors[0] = -1
      }
      if status == nil, .now - lastLook > .milliseconds(20) {
        lookAtMemory()
        lastLook = .now
      }
      let silent = descriptors[1] < 0 && descriptors[2] < 0
      if status == nil { status = reap() }
      if status != nil {
        ticksAfterEnd += 1
        if silent || ticksAfterEnd > 5 { break }
      }
      var polled = [
        pollfd(fd: descriptors[0], events: Int16(POLLOUT), revents: 0),
        pollfd(fd: descriptors[1], events: Int16(POLLIN), revents: 0),
        pollfd(fd: descriptors[2], events: Int16(POLLIN), revents: 0),
      ]
      guard poll(&polled, 3, silent ? 5 : 20) > 0 else { continue }
      ticksAfterEnd = 0
      if polled[0].revents != 0 {
        let count = bytes[sent...].withUnsafeBytes {
          write(descriptors[0], $0.baseAddress, $0.count)
        }
        if count >= 0 {
          sent += count
        } else if errno != EAGAIN && errno != EINTR {
          sent = bytes.count
        }
      }
      for index in 1...2 where polled[index].revents != 0 {
        let count = read(descriptors[index], &buffer, buffer.count)
        if count > 0 {
          state.withLock {
            if index == 1 {
              $0.output += buffer[..<count]
            } else {
              $0.errorOutput += buffer[..<count]
            }
          }
        } else if count == 0 || (errno != EAGAIN && errno != EINTR) {
          close(descriptors[index])
          descriptors[index] = -1
        }
      }
    }
    for descriptor in descriptors where descriptor >= 0 { close(descriptor) }
    finish(status ?? 0)
  }

  /// The wait status, once the process has ended.
  private func reap() -> Int32? {
    state.withLock { state in
      var status: Int32 = 0
      guard waitpid(pid, &status, WNOHANG) == pid else { return nil }
      state.reaped = true
      return status
    }
  }

  /// The kernel keeps the highest mark itself, so what happens between two looks is not missed.
  /// (The peak that `wait4` tells is of no use: it counts this process's pages, which the child has
  /// until it runs its own program.)
  private func lookAtMemory() {
    guard let status = try? String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8),
      let line = status.split(separator: "\n").first(where: { $0.hasPrefix("VmHWM:") }),
      let kilobytes = line.split(separator: " ").dropFirst().first.flatMap({ Int($0) })
    else { return }
    state.withLock { $0.peakResidentBytes = max($0.peakResidentBytes, kilobytes * 1024) }
  }

  private func finish(_ status: Int32) {
    let signal = status & 0x7f
    let ending: CommandResult.Ending =
      signal == 0 ? .exited((status >> 8) & 0xff) : .signaled(signal)
    state.withLock {
      $0.result = CommandResult(
        ending: ending, output: $0.output, errorOutput: $0.errorOutput, duration: .now - started,
        peakResidentBytes: $0.peakResidentBytes)
    }
    ended.signal()
  }
}
