import ByteStream
import Glibc

/// A profile's `credential_process`: a program that prints credentials.
enum CredentialProcess {
  /// Seconds that it may take.
  private static let timeout: Double = 60
  private static let largestOutput = 1 << 16

  /// Runs a command line by the shell and gives what it printed.
  ///
  /// What it writes to standard error is thrown away: nobody knows whether it is secret.
  static func run(_ command: String, cancellation: Cancellation) throws -> [UInt8] {
    var pipes: [Int32] = [-1, -1]
    guard pipe(&pipes) == 0 else { throw failure("cannot be started", errno) }
    for end in pipes { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    defer { close(pipes[0]) }
    let pid: pid_t
    do {
      defer { close(pipes[1]) }
      pid = try spawn(command, output: pipes[1])
    }
    var output: [UInt8] = []
    do {
      output = try read(pipes[0], cancellation)
    } catch {
      // It is the leader of a group of its own.
      kill(-pid, SIGKILL)
      _ = wait(pid)
      throw error
    }
    let status = wait(pid)
    guard status == 0 else {
      throw ObjectStoreError.credentials("the credential_process ended with status \(status)")
    }
    return output
  }

  private static func spawn(_ command: String, output: Int32) throws -> pid_t {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_adddup2(&actions, output, 1)
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP))
    posix_spawnattr_setpgroup(&attributes, 0)
    let line = ["/bin/sh", "-c", command]
    let words = line.map { word in word.withCString { strdup($0) } }
    defer { for word in words { free(word) } }
    var pid: pid_t = 0
    let status = posix_spawn(&pid, "/bin/sh", &actions, &attributes, words + [nil], environ)
    guard status == 0 else { throw failure("cannot be started", status) }
    return pid
  }

  private static func read(_ descriptor: Int32, _ cancellation: Cancellation) throws -> [UInt8] {
    let end = HTTPTransfer.clock() + timeout
    var output: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    while true {
      try ObjectStoreError.check(cancellation)
      guard HTTPTransfer.clock() < end else {
        throw ObjectStoreError.credentials(
          "the credential_process gave nothing in \(Int(timeout)) seconds")
      }
      var wanted = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      guard poll(&wanted, 1, 100) > 0 else { continue }
      let got = Glibc.read(descriptor, &buffer, buffer.count)
      if got < 0 {
        if errno == EINTR { continue }
        throw failure("cannot be read", errno)
      }
      if got == 0 { return output }
      output += buffer[..<got]
      guard output.count <= largestOutput else {
        throw ObjectStoreError.credentials("the credential_process printed too much")
      }
    }
  }

  /// The exit status, or 128 and the signal.
  private static func wait(_ pid: pid_t) -> Int {
    var status: Int32 = 0
    while waitpid(pid, &status, 0) < 0 { if errno != EINTR { return -1 } }
    let signal = status & 0x7F
    return Int(signal == 0 ? (status >> 8) & 0xFF : 128 + signal)
  }

  private static func failure(_ what: String, _ code: Int32) -> ObjectStoreError {
    ObjectStoreError.credentials(
      "the credential_process \(what): \(String(cString: strerror(code)))")
  }
}
