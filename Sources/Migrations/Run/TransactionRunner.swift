import Postgres

/// Takes a step as one transaction, the history's row included: all of it or nothing stays.
struct TransactionRunner: StepRunner {
  private let session: MigrationSession
  private var work: Connection { session.work }

  init(_ session: MigrationSession) { self.session = session }

  func run(_ step: PlannedStep, _ statements: [ScriptStatement]) throws -> FinishedStep {
    var retry = LockRetry(session, step)
    while true {
      do {
        return try attempt(step, statements)
      } catch let error as MigrationsError {
        guard let cause = error.cause as? PostgresError, retry.isMissed(cause) else { throw error }
        try retry.pauseOrGiveUp(cause)
      }
    }
  }

  private func attempt(
    _ step: PlannedStep, _ statements: [ScriptStatement]
  ) throws -> FinishedStep {
    let started = ContinuousClock.now
    let expansion = VariableExpansion(step.script, session.options.variable)
    try session.prepare(for: step)
    let mark = try session.mark(step)
    try work.run("BEGIN")
    var row: Int?
    do {
      var times = StatementTimes()
      var locks = HeldLocks()
      let precautions = DropPrecautions(session, step, row: mark.row)
      let kept = try KeptData(session, step, row: mark.row)
      for statement in statements {
        let before = ContinuousClock.now
        try run(statement, step, expansion, precautions)
        try kept?.afterStatement()
        let duration = ContinuousClock.now - before
        times.add(statement, duration, try locks.added(by: statement, work))
      }
      try kept?.finish()
      row = try record(step, statements.count, started, times, mark)
      try work.run("COMMIT")
    } catch let error as PostgresError {
      if let row, try isRecorded(row, error) {
        return FinishedStep(
          step: step, duration: ContinuousClock.now - started, statements: statements.count,
          historyID: mark.row)
      }
      throw failure(error, step)
    } catch {
      rollBack()
      throw error
    }
    return FinishedStep(
      step: step, duration: ContinuousClock.now - started, statements: statements.count,
      historyID: mark.row)
  }

  private func run(
    _ statement: ScriptStatement, _ step: PlannedStep, _ expansion: VariableExpansion,
    _ precautions: DropPrecautions?
  ) throws {
    let text = try expansion.expand(statement.statement.text)
    do {
      try session.watch.during(step, mayGiveWay: true) {
        if let precautions {
          try precautions.run(statement, text: text)
        } else {
          try work.run(statement, text: text)
        }
      }
      try session.observer?.after(statement, work)
    } catch let error as PostgresError {
      guard let server = error.server, error.code == .server else { throw error }
      rollBack()
      var hint = "Nothing of \(step.title) stays."
      if server.sqlState == .activeTransaction {
        hint +=
          " This statement cannot run in a transaction: write -- pgkeep: no-transaction at the "
          + "top of the file."
      }
      throw MigrationsError(
        .statementFailed, hint,
        failure: StatementFailure(
          statement, of: step.script, server, isVerbatim: text == statement.statement.text),
        cause: error)
    }
    guard work.isInTransaction else {
      throw MigrationsError(
        .statementFailed,
        "\(step.script.source):\(statement.statement.start.line): the statement ended the "
          + "migration's transaction. What came before it may have been committed.")
    }
  }

  /// Adds the history's row, whatever role or settings the migration has left.
  private func record(
    _ step: PlannedStep, _ statements: Int, _ started: ContinuousClock.Instant,
    _ times: StatementTimes, _ mark: RestorePoints.Mark
  ) throws -> Int {
    try work.run(
      "SET SESSION AUTHORIZATION DEFAULT; SET LOCAL search_path = pg_catalog, pg_temp")
    try session.announce(step, mark, work)
    return try History(connection: work, scope: session.options.scope).add(
      as: mark.row,
      step.row(
        .done, statements: statements, toolVersion: session.options.toolVersion,
        duration: ContinuousClock.now - started, details: times.json(mark)))
  }

  private func rollBack() {
    guard work.isUsable else { return }
    // A cancelled run may send nothing more; then the session's end rolls back.
    do { try work.run("ROLLBACK") } catch { work.close() }
  }

  /// What an error outside of the statements themselves means.
  private func failure(_ error: PostgresError, _ step: PlannedStep) -> MigrationsError {
    rollBack()
    if error.code == .cancelled {
      return MigrationsError(
        .cancelled, "\(error.message) Nothing of \(step.title) stays.", cause: error)
    }
    return MigrationsError(
      .statementFailed, "\(step.title) failed, and nothing of it stays: \(error)", cause: error)
  }

  /// Whether the transaction took effect although the answer to its COMMIT was lost.
  private func isRecorded(_ row: Int, _ error: PostgresError) throws -> Bool {
    guard error.code != .server else { return false }
    work.close()
    try session.lock.awaitEndOfWork()
    return try session.history.exists(row)
  }
}
