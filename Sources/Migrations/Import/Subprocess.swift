import ByteStream
import Glibc

/// Runs another program and takes what it writes.
enum Subprocess {
  struct Result {
    /// The exit status; 128 and the signal's number when one ended it.
    let status: Int32
    let output: [UInt8]
    let errorOutput: String
  }

  /// - Parameter directory: where it runs.
  /// - Throws: ``MigrationsError/Code/invalidFiles`` when it cannot be started. A program that is
  ///   not there gives status 127, as in a shell: the child's folder can only be set by one.
  static func run(
    _ program: String, _ arguments: [String], in directory: String, cancellation: Cancellation
  ) throws -> Result {
    var output: [Int32] = [0, 0]
    var errors: [Int32] = [0, 0]
    guard pipe(&output) == 0, pipe(&errors) == 0 else { throw failure(program, errno) }
    for descriptor in output + errors { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_adddup2(&actions, output[1], STDOUT_FILENO)
    posix_spawn_file_actions_adddup2(&actions, errors[1], STDERR_FILENO)
    // Signals that this process has blocked for its own thread are not the child's.
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))

    var words: [UnsafeMutablePointer<CChar>?] =
      (["sh", "-c", "cd \"$0\" && exec \"$@\"", directory, program] + arguments)
      .map { strdup($0) } + [nil]
    defer { for word in words { free(word) } }
    var process: pid_t = 0
    let status = posix_spawn(&process, "/bin/sh", &actions, &attributes, &words, environ)
    close(output[1])
    close(errors[1])
    defer {
      close(output[0])
      close(errors[0])
    }
    guard status == 0 else { throw failure(program, status) }
    let registration = cancellation.onCancel { [process] in kill(process, SIGTERM) }
    defer { registration.remove() }
    let read = drain(output[0], errors[0])
    var ending: Int32 = 0
    while waitpid(process, &ending, 0) < 0, errno == EINTR {}
    if let reason = cancellation.reason { throw MigrationsError(.cancelled, "Stopped: \(reason).") }
    let signal = ending & 0x7F
    return Result(
      status: signal == 0 ? (ending >> 8) & 0xFF : 128 + signal, output: read.output,
      errorOutput: String(decoding: read.errors, as: UTF8.self))
  }

  /// Reads both to their ends.
  private static func drain(_ output: Int32, _ errors: Int32) -> (output: [UInt8], errors: [UInt8])
  {
    var files = [
      pollfd(fd: output, events: Int16(POLLIN), revents: 0),
      pollfd(fd: errors, events: Int16(POLLIN), revents: 0),
    ]
    var texts: [[UInt8]] = [[], []]
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while files.contains(where: { $0.fd >= 0 }) {
      guard poll(&files, 2, 1_000) > 0 else { continue }
      for index in files.indices where files[index].fd >= 0 && files[index].revents != 0 {
        let count = read(files[index].fd, &buffer, buffer.count)
        if count > 0 {
          texts[index] += buffer[..<count]
        } else if count == 0 || errno != EINTR {
          files[index].fd = -1
        }
      }
    }
    return (texts[0], texts[1])
  }

  private static func failure(_ program: String, _ number: Int32) -> MigrationsError {
    MigrationsError(
      .invalidFiles, "Cannot run \(program): \(Folder.Errno(number: number))")
  }
}
