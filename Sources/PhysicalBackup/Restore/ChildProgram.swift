import Glibc

/// Runs one of PostgreSQL's own programs to its end.
struct ChildProgram {
  struct Result {
    /// The exit code; 128 and the signal's number when it was killed.
    var code: Int32
    /// The end of what it wrote, both streams.
    var output: String
  }

  /// - Parameters:
  ///   - owner: who runs it, when this process is root.
  ///   - outputFile: where its output goes meanwhile. Not a pipe: a server that it starts keeps
  ///     the stream open.
  ///   - limit: bytes of its output that are given, from the end.
  static func run(
    _ path: String, _ arguments: [String], owner: LocalFiles.Owner?, outputFile: String,
    limit: Int = 4000
  ) throws -> Result {
    var command = [path] + arguments
    if let owner, geteuid() == 0 {
      command =
        ["setpriv", "--reuid=\(owner.user)", "--regid=\(owner.group)", "--clear-groups", "--"]
        + command
    }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(
      &actions, 1, outputFile, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    posix_spawn_file_actions_adddup2(&actions, 1, 2)
    // PostgreSQL's programs must not be misled by what is meant for the source.
    var environment: [UnsafeMutablePointer<CChar>?] = []
    var entry = environ
    while let pointer = entry.pointee {
      if !String(cString: pointer).hasPrefix("PG") { environment.append(strdup(pointer)) }
      entry += 1
    }
    environment.append(strdup("LC_ALL=C"))
    environment.append(nil)
    var words: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) }
    words.append(nil)
    defer {
      for word in words + environment { free(word) }
    }
    var pid = pid_t()
    let status = posix_spawnp(&pid, command[0], &actions, nil, words, environment)
    guard status == 0 else { throw LocalFiles.failure("start", command[0], status) }
    var ending: Int32 = 0
    while waitpid(pid, &ending, 0) < 0, errno == EINTR {}
    let code = ending & 0x7F == 0 ? (ending >> 8) & 0xFF : 128 + (ending & 0x7F)
    let output = (try? LocalFiles.read(outputFile)) ?? []
    return Result(code: code, output: String(decoding: output.suffix(limit), as: UTF8.self))
  }
}
