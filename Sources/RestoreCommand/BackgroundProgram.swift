import Glibc

/// Starts this program once more, as a process that nobody waits for.
enum BackgroundProgram {
  /// - Returns: whether it was started. It is to call ``detach()``.
  static func startSelf(_ arguments: [String]) -> Bool {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    for stream: Int32 in 0...2 {
      posix_spawn_file_actions_addopen(&actions, stream, "/dev/null", O_RDWR, 0)
    }
    var words: [UnsafeMutablePointer<CChar>?] = (["restore"] + arguments).map { strdup($0) }
    words.append(nil)
    defer { for word in words { free(word) } }
    var pid = pid_t()
    return posix_spawn(&pid, "/proc/self/exe", &actions, nil, words, environ) == 0
  }

  /// In the process that was started: whoever started us neither waits for it nor stops it with us.
  static func detach() {
    setsid()
    // Files and sockets of the server's; our own are closed when a program is started.
    for file: Int32 in 3..<1024 { close(file) }
  }
}
