import Postgres

/// Takes a step statement by statement, each on its own, and keeps a ledger of how far it got.
///
/// A statement that can run in a transaction runs in one together with its row in the ledger, so
/// there is never a doubt whether it took effect. One that cannot (`CREATE INDEX CONCURRENTLY`)
/// has rows before and after it, and ``UncertainStatement`` finds out what became of it when the
/// second is missing.
struct StatementRunner: StepRunner {
  private let session: MigrationSession
  private var work: Connection { session.work }

  init(_ session: MigrationSession) { self.session = session }

  func run(_ step: PlannedStep, _ statements: [ScriptStatement]) throws -> FinishedStep {
    let started = ContinuousClock.now
    let expansion = VariableExpansion(step.script, session.options.variable)
    try expansion.check()
    var step = step
    var progress = Progress.none
    if let attempt = step.resumes {
      progress = try Progress(session.history.ledger(attempt: attempt), statements, step)
    } else {
      step.resumes = try session.history.add(
        step.row(.started, statements: statements.count, toolVersion: session.options.toolVersion))
    }
    let attempt = step.resumes ?? 0
    let mark = try session.prepare(for: step)
    var times = StatementTimes()
    let care = Care(
      precautions: DropPrecautions(session, step, row: attempt),
      kept: try KeptData(session, step, row: mark.row))
    for statement in statements where statement.ordinal > progress.done {
      let before = ContinuousClock.now
      do {
        let text = try expansion.expand(statement.statement.text)
        var isUncertain = progress.isUncertain(statement)
        var retry = LockRetry(session, step)
        while true {
          do {
            try take(step, statement, text, attempt, isUncertain, care)
            break
          } catch let error as PostgresError where retry.isMissed(error) {
            try retry.pauseOrGiveUp(error)
            isUncertain = false
          }
        }
      } catch {
        throw try failure(error, statement, step, ContinuousClock.now - started)
      }
      times.add(statement, ContinuousClock.now - before)
      session.emit(.statementDone(step, ordinal: statement.ordinal, of: statements.count))
    }
    if let kept = care.kept { try work.transaction { try kept.finish() } }
    let duration = ContinuousClock.now - started
    if let message = session.announcement(step, mark) { try session.lock.connection.run(message) }
    _ = try session.history.add(
      as: mark.row,
      step.row(
        .done, statements: statements.count, toolVersion: session.options.toolVersion,
        duration: duration, details: times.json(mark)))
    return FinishedStep(
      step: step, duration: duration, statements: statements.count, historyID: mark.row)
  }

  private func take(
    _ step: PlannedStep, _ statement: ScriptStatement, _ text: SQLText, _ attempt: Int,
    _ isUncertain: Bool, _ care: Care
  ) throws {
    let remains = ConcurrentIndex(statement.statement)
    if isUncertain {
      let outcome = try UncertainStatement(statement.statement).outcome(work)
      if outcome == .tookEffect { return try note(.done, statement, attempt) }
    }
    // What a failed concurrent build has left would be taken for the whole index by IF NOT EXISTS.
    if let remains { try remains.dropIfInvalid(work) }
    if try runInTransaction(step, statement, text, attempt, care) { return }
    try note(.started, statement, attempt)
    try runAlone(step, statement, text)
    try note(.done, statement, attempt)
  }

  /// Statements with CONCURRENTLY wait for other transactions without making anybody wait, and
  /// begin from nothing when they are cut off: they get their time.
  private func runAlone(
    _ step: PlannedStep, _ statement: ScriptStatement, _ text: SQLText
  ) throws {
    let isPatient =
      statement.statement.words.contains("concurrently")
      && !step.script.directives.contains { if case .lockTimeout = $0 { true } else { false } }
    if isPatient {
      let limit = Int(session.options.waitForBackup / .milliseconds(1))
      try work.run("SET lock_timeout = \(limit)")
    }
    try session.watch.during(step, mayGiveWay: false) { try work.run(statement, text: text) }
    try session.observer?.after(statement, work)
    if isPatient {
      try work.run("SET lock_timeout = \(Int(session.options.lockTimeout / .milliseconds(1)))")
    }
  }

  /// - Returns: false when the server does not let the statement run in a transaction.
  private func runInTransaction(
    _ step: PlannedStep, _ statement: ScriptStatement, _ text: SQLText, _ attempt: Int,
    _ care: Care
  ) throws -> Bool {
    guard !NeedsAutocommit.isKnown(statement.statement) else { return false }
    do {
      try work.run("BEGIN")
      try session.watch.during(step, mayGiveWay: true) {
        if let precautions = care.precautions {
          try precautions.run(statement, text: text)
        } else {
          try work.run(statement, text: text)
        }
      }
      try care.kept?.afterStatement()
      try session.observer?.after(statement, work)
      try History(connection: work).note(
        .done, attempt: attempt, ordinal: statement.ordinal, checksum: statement.checksum)
      try work.run("COMMIT")
      return true
    } catch let error as PostgresError {
      if work.isUsable, work.isInTransaction {
        do { try work.run("ROLLBACK") } catch { work.close() }
      }
      switch error.sqlState {
      case .activeTransaction, .invalidTransactionTermination: return false
      default: throw error
      }
    }
  }

  private func note(
    _ event: LedgerEvent.Kind, _ statement: ScriptStatement, _ attempt: Int, _ error: String? = nil
  ) throws {
    try session.history.note(
      event, attempt: attempt, ordinal: statement.ordinal, checksum: statement.checksum,
      processID: event == .started ? work.processID : nil, error: error)
  }

  /// Records the failure, takes away what it left, and says what to do.
  private func failure(
    _ error: any Error, _ statement: ScriptStatement, _ step: PlannedStep, _ duration: Duration
  ) throws -> MigrationsError {
    guard let cause = error as? PostgresError else {
      return error as? MigrationsError ?? MigrationsError(.unfinished, "\(error)", cause: error)
    }
    let total = try step.script.statements().count
    var message =
      "\(step.title) is without a transaction and stopped at statement \(statement.ordinal) of "
      + "\(total) (\(step.script.source):\(statement.statement.start.line)); the ones before it "
      + "are done and stay. "
    if cause.code == .connectionLost || cause.code == .cancelled {
      work.close()
      try session.lock.awaitEndOfWork()
    } else if cause.code == .server {
      try note(.failed, statement, step.resumes ?? 0, cause.description)
    }
    if let index = ConcurrentIndex(statement.statement) {
      message += try session.asMigration { connection in
        try index.isInvalid(connection) ? index.dropRemains(connection) : ""
      }
    }
    message +=
      step.direction == .up
      ? "Run migrate up again: it goes on with this statement, as the file then has it."
      : "Run migrate down -1 again: it goes on with this statement."
    _ = try session.history.add(
      step.row(
        .failed, statements: statement.ordinal, toolVersion: session.options.toolVersion,
        duration: duration, error: cause.description))
    let failure = cause.server.map {
      StatementFailure(
        statement, of: step.script, $0,
        isVerbatim: !step.script.directives.contains {
          if case .environment = $0 { true } else { false }
        })
    }
    if cause.code == .cancelled { message = "\(cause.message) \(message)" }
    if cause.code == .connectionLost { message = "\(cause.description)\n\(message)" }
    return MigrationsError(
      cause.code == .cancelled ? .cancelled : .unfinished, message, failure: failure, cause: cause)
  }

  /// What is done about rows that a step drops or brings back.
  private struct Care {
    let precautions: DropPrecautions?
    let kept: KeptData?
  }

  /// How far an earlier run got, by its ledger.
  private struct Progress {
    /// So many statements are done.
    let done: Int
    /// The statement whose start was noted, but not its end.
    private let uncertain: Int?

    static let none = Progress(done: 0, uncertain: nil)

    private init(done: Int, uncertain: Int?) {
      self.done = done
      self.uncertain = uncertain
    }

    /// - Throws: ``MigrationsError/Code/unfinished`` when the file no longer holds what was done.
    init(_ ledger: [LedgerEvent], _ statements: [ScriptStatement], _ step: PlannedStep) throws {
      var last: [Int: LedgerEvent] = [:]
      for event in ledger { last[event.ordinal] = event }
      var done = 0
      while let event = last[done + 1], event.kind == .done {
        guard done < statements.count, statements[done].checksum == event.checksum else {
          throw MigrationsError(
            .unfinished,
            "\(step.title) stopped half way, and statement \(done + 1) of its file is no longer "
              + "the one that was run. Put it back as it was (a later statement may be changed), "
              + "or say what is true with migrate repair.")
        }
        done += 1
      }
      self.done = done
      let next = last[done + 1]
      uncertain = next?.kind == .started ? done + 1 : nil
      if let next, next.kind == .started, done < statements.count,
        statements[done].checksum != next.checksum
      {
        throw MigrationsError(
          .unfinished,
          "\(step.title) was cut off in statement \(done + 1), and its file has another one there "
            + "now. Put it back as it was, or say what is true with migrate repair.")
      }
    }

    func isUncertain(_ statement: ScriptStatement) -> Bool { statement.ordinal == uncertain }
  }
}
