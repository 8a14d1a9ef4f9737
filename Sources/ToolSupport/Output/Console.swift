import Glibc
import Synchronization

/// Standard output and standard error of a command, with the progress line that a terminal shows
/// last. Results go to standard output; logs, errors and progress to standard error.
public final class Console: Sendable {
  private struct State {
    var progress = ""
    var outputFailure: Int32?
  }

  public let redactor: Redactor
  /// Whether a person reads standard error.
  public let isTerminal: Bool
  private let state = Mutex(State())

  public init(redactor: Redactor) {
    self.redactor = redactor
    isTerminal = isatty(STDERR_FILENO) == 1
  }

  /// Writes a result, newline included by the caller.
  public func output(_ text: String) {
    state.withLock { state in
      erase(state)
      if let failure = Self.write(redactor.redact(text), to: STDOUT_FILENO) {
        state.outputFailure = failure
      }
      draw(state)
    }
  }

  /// Writes a line of log or error.
  public func line(_ text: String) {
    state.withLock { state in
      erase(state)
      _ = Self.write(redactor.redact(text) + "\n", to: STDERR_FILENO)
      draw(state)
    }
  }

  /// Shows `text` as the line below all others, or takes it away when empty. Nothing when
  /// standard error is no terminal.
  public func showProgress(_ text: String) {
    guard isTerminal else { return }
    state.withLock { state in
      guard state.progress != text else { return }
      erase(state)
      state.progress = redactor.redact(Self.cut(text, to: Self.terminalWidth() - 1))
      draw(state)
    }
  }

  /// Why standard output could not be written, other than that its reader has gone away
  /// (`| head`), which is no failure.
  var outputFailure: String? {
    state.withLock { state in
      guard let failure = state.outputFailure, failure != EPIPE else { return nil }
      return String(cString: strerror(failure))
    }
  }

  private func erase(_ state: State) {
    guard !state.progress.isEmpty else { return }
    _ = Self.write("\r\u{1B}[K", to: STDERR_FILENO)
  }

  private func draw(_ state: State) {
    guard !state.progress.isEmpty else { return }
    _ = Self.write(state.progress, to: STDERR_FILENO)
  }

  /// - Returns: `errno` when not all could be written.
  private static func write(_ text: String, to file: Int32) -> Int32? {
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
      let count = bytes.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
      if count < 0 {
        if errno == EINTR { continue }
        return errno
      }
      bytes = bytes.dropFirst(count)
    }
    return nil
  }

  private static func terminalWidth() -> Int {
    var size = winsize()
    guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
    return Int(size.ws_col)
  }

  private static func cut(_ text: String, to width: Int) -> String {
    var text = text
    while DisplayWidth.of(text) > width { text.removeLast() }
    return text
  }
}
