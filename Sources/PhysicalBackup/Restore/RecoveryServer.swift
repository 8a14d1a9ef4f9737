public import ByteStream
import Glibc

/// A server on a restored data directory: started, and watched until it has recovered.
public struct RecoveryServer: Sendable {
  /// How a recovery ended.
  public struct Outcome: Sendable {
    /// `in production` after promotion, `in archive recovery` when it pauses, as
    /// `pg_controldata` puts it.
    public var state: String
    /// What the server says about where it stopped, from its log.
    public var messages: [String]
  }

  /// The folder with `pg_ctl`, of the cluster's major version.
  public var binaries: String
  public var dataDirectory: String
  /// The server's log.
  public var logFile: String
  /// More settings for the server, as `name=value`.
  public var settings: [String] = []
  /// Who runs it, when this process is root.
  public var owner: String?
  /// Seconds without any sign of progress after which it is given up.
  public var patience: Duration = .seconds(600)

  public init(binaries: String, dataDirectory: String, logFile: String) {
    self.binaries = binaries
    self.dataDirectory = dataDirectory
    self.logFile = logFile
  }

  /// Where the programs of a major version are, in the usual places.
  public static func binaries(major: Int) -> String? {
    let places = [
      "/usr/lib/postgresql/\(major)/bin", "/usr/pgsql-\(major)/bin",
      "/usr/local/pgsql/bin", "/opt/homebrew/opt/postgresql@\(major)/bin",
    ]
    return places.first { access($0 + "/pg_ctl", X_OK) == 0 }
  }

  /// Starts the server and waits until it has reached its target.
  ///
  /// - Throws: ``PhysicalBackupError/Code/recoveryFailed`` with the server's own words.
  public func recover(
    to action: ClusterRestore.TargetAction, cancellation: Cancellation
  ) throws -> Outcome {
    // An earlier recovery may have left a log there.
    let old = LocalFiles.exists(logFile) ? try LocalFiles.read(logFile).count : 0
    let started = try control(
      ["-w", "-t", "\(patience.components.seconds)", "-l", logFile, "-o", options, "start"])
    // A server that recovers and shuts down again at once may be gone before pg_ctl looks.
    guard started.code == 0 || action == .shutdown else { throw failure("did not start", old) }
    var sign = ""
    var lastSign = ContinuousClock.now
    while true {
      try cancellation.check()
      let state = try state()
      let log = try log(from: old)
      if state == "in production" || (action == .pause && log.contains("pausing at the end of rec"))
        || (action == .shutdown && state == "shut down in recovery")
      {
        return Outcome(state: state, messages: messages(log))
      }
      guard isRunning else { throw failure("ended before it had reached its target", old) }
      let now = "\(state)\(log.utf8.count)"
      if now != sign {
        sign = now
        lastSign = .now
      }
      guard ContinuousClock.now - lastSign < patience else {
        throw failure("makes no progress", old)
      }
      Pause.milliseconds(100)
    }
  }

  /// Stops the server: everything is written.
  public func stop() throws {
    let stopped = try control(["-w", "-m", "fast", "stop"])
    guard stopped.code == 0 else { throw failure("did not stop: \(stopped.output)") }
  }

  /// Ends the server at once.
  public func kill() throws { _ = try control(["-m", "immediate", "stop"]) }

  private var options: String {
    // What it says is read below, so it has to be in a known language.
    (["lc_messages=C"] + settings).map { setting in
      "-c '\(setting.split(separator: "'").joined(separator: "'\\''"))'"
    }.joined(separator: " ")
  }

  private func control(_ arguments: [String]) throws -> ChildProgram.Result {
    try run("pg_ctl", ["-D", dataDirectory] + arguments)
  }

  /// Runs one of PostgreSQL's programs as the server's user.
  func run(
    _ program: String, _ arguments: [String], limit: Int = 4000
  ) throws -> ChildProgram.Result {
    try ChildProgram.run(
      binaries + "/" + program, arguments, owner: try owner.map { try LocalFiles.owner($0) },
      outputFile: logFile + "." + program, limit: limit)
  }

  /// The cluster's state by its control file, for which nobody has to log in.
  private func state() throws -> String {
    let result = try run("pg_controldata", ["-D", dataDirectory])
    for line in result.output.split(separator: "\n")
    where line.hasPrefix("Database cluster state:") {
      return String(line.dropFirst("Database cluster state:".count).drop { $0 == " " })
    }
    return "unknown"
  }

  private var isRunning: Bool {
    ((try? run("pg_ctl", ["-D", dataDirectory, "status"]))?.code ?? 1) == 0
  }

  private func log(from start: Int = 0) throws -> String {
    guard LocalFiles.exists(logFile) else { return "" }
    return String(decoding: try LocalFiles.read(logFile).dropFirst(start), as: UTF8.self)
  }

  private func messages(_ log: String) -> [String] {
    let wanted = [
      "recovery stopping", "last completed transaction", "pausing at the end",
      "consistent recovery state", "selected new timeline", "redo done",
    ]
    return log.split(separator: "\n").compactMap { line in
      guard let found = wanted.compactMap({ line.firstRange(of: $0)?.lowerBound }).first else {
        return nil
      }
      return String(line[found...])
    }
  }

  private func failure(_ what: String, _ start: Int = 0) -> PhysicalBackupError {
    let lines = ((try? log(from: start)) ?? "").split(separator: "\n")
    let bad = lines.filter {
      $0.contains("FATAL:") || $0.contains("PANIC:") || $0.contains("ERROR:")
    }
    let words = (bad.isEmpty ? lines.suffix(5) : bad.suffix(5)).joined(separator: "\n")
    return PhysicalBackupError(
      .recoveryFailed, "the server on \(dataDirectory) \(what); its log is \(logFile):\n\(words)")
  }
}
