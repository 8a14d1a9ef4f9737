import Foundation
import Glibc

/// How a child process is to be started.
struct ChildProcess: Sendable {
  /// A path, or a name that is looked up in `PATH`.
  var executable: String
  var arguments: [String] = []
  /// The whole environment of the child.
  var environment: [String: String] = [:]
  var directory: String?
  /// Run as `postgres` when this process is root, since PostgreSQL refuses to run as root.
  var asPostgres = false
  /// The signal that the child gets when this process dies.
  var signalAtParentsDeath = "KILL"

  /// Starts the child with the three descriptors as its standard input, output and error, in a
  /// process group of its own.
  ///
  /// - Returns: the child's process id, which is also its process group's.
  func start(input: Int32, output: Int32, error: Int32) throws -> pid_t {
    let result = SpawnThread.shared.run {
      self.spawn(input: input, output: output, error: error)
    }
    guard result.status == 0 else {
      throw TestSupportError(
        "cannot start \(executable): \(String(cString: strerror(result.status)))")
    }
    return result.pid
  }

  /// A pipe whose ends no child inherits: made on the thread that starts the children, so that none
  /// starts before the ends are marked.
  static func pipe() throws -> (read: Int32, write: Int32) {
    let ends = SpawnThread.shared.run {
      var ends: [Int32] = [-1, -1]
      if Glibc.pipe(&ends) == 0 {
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
      }
      return ends
    }
    guard ends[0] >= 0 else { throw TestSupportError("no pipe can be made") }
    return (ends[0], ends[1])
  }

  private func spawn(input: Int32, output: Int32, error: Int32) -> (status: Int32, pid: pid_t) {
    var words = ["/usr/bin/setpriv", "--pdeathsig", signalAtParentsDeath]
    if asPostgres, geteuid() == 0 {
      words += ["--reuid", "postgres", "--regid", "postgres", "--clear-groups"]
    }
    words.append("--")
    if let directory { words += ["env", "--chdir=\(directory)", "--"] }
    words += [executable] + arguments
    var argv: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
    var envp: [UnsafeMutablePointer<CChar>?] =
      environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { for pointer in argv + envp { free(pointer) } }

    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    for (from, to) in [(input, 0), (output, 1), (error, 2)] as [(Int32, Int32)] {
      posix_spawn_file_actions_adddup2(&actions, from, to)
    }

    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    // The child starts with no signal ignored or blocked, whatever this process does with them.
    var signals = sigset_t()
    sigfillset(&signals)
    posix_spawnattr_setsigdefault(&attributes, &signals)
    sigemptyset(&signals)
    posix_spawnattr_setsigmask(&attributes, &signals)
    posix_spawnattr_setpgroup(&attributes, 0)
    posix_spawnattr_setflags(
      &attributes,
      Int16(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP))

    var pid: pid_t = 0
    let status = posix_spawn(&pid, words[0], &actions, &attributes, &argv, &envp)
    return (status, pid)
  }
}
