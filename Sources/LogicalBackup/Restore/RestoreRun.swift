import ByteStream
import Postgres

/// What all kinds of restores share while one goes on: the target, the clock of its phases, the
/// numbers for progress and report.
final class RestoreRun: Sendable {
  struct State: Sendable {
    var report: RestoreReport
    var progress = RestoreProgress(phase: .preparation, bytes: 0, rows: 0, steps: 0)
    var phaseStart = ContinuousClock.now
    var lastCall: ContinuousClock.Instant?
  }

  let options: RestoreOptions
  let cancellation: Cancellation
  let connectionTarget: ConnectionTarget
  let transactionPrefix: SQLText
  /// What errors call the backup.
  let name: String
  /// The encoding of the backup's text.
  let encoding: String
  private let state: Monitor<State>

  init(
    _ target: any RestoreTarget, database: String, name: String, encoding: String,
    options: RestoreOptions, started: ContinuousClock.Instant, cancellation: Cancellation
  ) {
    self.options = options
    self.cancellation = cancellation
    self.name = name
    self.encoding = encoding
    connectionTarget = target.connectionTarget
    transactionPrefix = target.transactionPrefix
    var state = State(report: RestoreReport(database: database))
    state.phaseStart = started
    self.state = Monitor(state)
  }

  var rules: StatementRules {
    StatementRules(omitsOwners: options.omitsOwners, omitsPrivileges: options.omitsPrivileges)
  }

  /// A connection to fill the database with.
  func connect(_ cancellation: Cancellation) throws -> Connection {
    var profile = SessionProfile.data
    // One commit at the end, of the final name or of the mark's removal, makes all of it durable.
    profile.settings.append(("synchronous_commit", "off"))
    let connection = try Connection(
      connectionTarget, ConnectionOptions(applicationName: "pgkeep restore", profile: profile),
      cancellation: cancellation)
    // Strong: a run keeps no connection, so nothing goes in a circle.
    connection.onNotice = { notice in self.take(notice) }
    try connection.run("SET client_encoding = \(SQLText(encoding).quotedLiteral)")
    return connection
  }

  /// Changes the report.
  func report(_ change: (inout RestoreReport) -> Void) { state.update { change(&$0.report) } }

  var currentReport: RestoreReport { state.update { $0.report } }

  /// Begins a phase and ends the one before.
  func begin(_ phase: RestorePhase, totalSteps: Int? = nil) throws {
    try cancellation.check()
    state.update { state in
      state.endPhase()
      state.progress.phase = phase
      state.progress.steps = 0
      state.progress.totalSteps = totalSteps
      state.lastCall = .now
      options.onProgress(state.progress)
    }
  }

  /// Ends the last phase.
  func end() { state.update { $0.endPhase() } }

  /// Adds to the progress, and tells of it now and then.
  func advance(bytes: Int = 0, rows: Int = 0, steps: Int = 0, totalBytes: Int? = nil) {
    state.update { state in
      state.progress.bytes += bytes
      state.progress.rows += rows
      state.progress.steps += steps
      if let totalBytes { state.progress.totalBytes = totalBytes }
      let now = ContinuousClock.now
      if let last = state.lastCall, now - last < .milliseconds(250) { return }
      state.lastCall = now
      options.onProgress(state.progress)
    }
  }

  /// Keeps the server's warnings, as many as a person may want to read.
  private func take(_ notice: ServerMessage) {
    guard notice.severity == "WARNING" else { return }
    report { report in
      let note = "The server warned: \(notice.message)"
      if report.notes.count < Self.mostWarnings, !report.notes.contains(note) {
        report.notes.append(note)
      }
    }
  }

  private static let mostWarnings = 50

  /// Takes over what a runner has done.
  func add(_ runner: StatementRunner) {
    report { report in
      report.statements += runner.count
      report.skipped += runner.skipped
      report.unselected += runner.unselected
      report.notes += runner.notes
    }
  }
}

extension RestoreRun.State {
  fileprivate mutating func endPhase() {
    let now = ContinuousClock.now
    report.phases.append(RestoreReport.Phase(phase: progress.phase, time: now - phaseStart))
    phaseStart = now
  }
}
