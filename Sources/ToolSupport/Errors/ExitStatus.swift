/// What a command's exit code says. Stable: scripts decide by it (docs/operations.md).
public enum ExitStatus: Int32, Sendable, CaseIterable {
  /// All that was asked for is done.
  case done = 0
  /// The work failed for a reason that has no code of its own.
  case failed = 1
  /// The command line or a setting has a wrong form; nothing was begun.
  case usage = 2
  /// There is no backup, or not the one that was named.
  case nothingToRestore = 3
  /// What was restored or stored is not what was backed up.
  case verificationFailed = 4
  /// The database or the files on disk are not what the history says.
  case drift = 5
  /// Another run holds the lock, or a table's lock was not to be had in time.
  case lockNotObtained = 6
  /// A migration outside a transaction was left half done; a person has to look.
  case migrationDirty = 7
  /// A setting, a login or a permission is missing or refused.
  case configuration = 8
  /// SIGHUP: the terminal went away.
  case hungUp = 129
  /// SIGINT: somebody pressed Ctrl-C.
  case interrupted = 130
  /// SIGTERM: the system asked to stop.
  case terminated = 143

  /// One line for documentation and `--help`.
  public var meaning: String {
    switch self {
    case .done: "done"
    case .failed: "failed; the error says why"
    case .usage: "the command line or a setting has a wrong form; nothing was begun"
    case .nothingToRestore: "there is no backup, or not the one that was named"
    case .verificationFailed: "what was restored or stored is not what was backed up"
    case .drift: "the database or the files are not what the history says"
    case .lockNotObtained: "a lock was not obtained in time: another run is at work"
    case .migrationDirty: "a migration outside a transaction was left half done"
    case .configuration: "a setting, a login or a permission is missing or refused"
    case .hungUp: "stopped by SIGHUP"
    case .interrupted: "stopped by SIGINT (Ctrl-C)"
    case .terminated: "stopped by SIGTERM"
    }
  }
}
