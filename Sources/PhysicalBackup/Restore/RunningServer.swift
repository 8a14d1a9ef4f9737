import Glibc

/// Whether a server runs on a data directory, by what it leaves in `postmaster.pid`.
enum RunningServer {
  /// - Throws: ``PhysicalBackupError/Code/localPlace`` when one runs, or may run.
  static func refuse(_ dataDirectory: String) throws {
    let path = dataDirectory + "/postmaster.pid"
    guard LocalFiles.exists(path) else { return }
    let lines = String(decoding: try LocalFiles.read(path), as: UTF8.self)
      .split(separator: "\n", omittingEmptySubsequences: false)
    guard let first = lines.first, let pid = pid_t(first.trimmed) else {
      throw PhysicalBackupError(
        .localPlace,
        "\(path) is there and cannot be read: make sure that no server runs on "
          + "\(dataDirectory), then remove it")
    }
    // A negative number stands for a server without a postmaster.
    let process = abs(pid)
    if process != getpid(), kill(process, 0) == 0 || errno == EPERM {
      throw PhysicalBackupError(
        .localPlace,
        "a server runs on \(dataDirectory) (process \(process) by \(path)); nothing was changed. "
          + "Stop it first; where that process is none of PostgreSQL's, remove the file")
    }
    // Children may live on after their postmaster was killed: its shared memory shows it.
    if lines.count >= 7, let id = lines[6].split(separator: " ").last.flatMap({ Int32($0) }) {
      var state = shmid_ds()
      if shmctl(id, IPC_STAT, &state) == 0, state.shm_nattch > 0 {
        throw PhysicalBackupError(
          .localPlace,
          "processes of a server that was killed are still at work on \(dataDirectory) (they share "
            + "memory segment \(id)); nothing was changed. End them first")
      }
    }
  }
}

extension Substring {
  fileprivate var trimmed: Substring {
    var text = self
    while text.first == " " { text.removeFirst() }
    while let last = text.last, last == " " || last == "\r" { text.removeLast() }
    return text
  }
}
