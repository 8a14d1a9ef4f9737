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
      // The look behind the last statement goes together with what ends the step.
      var last: (statement: ScriptStatement, duration: Duration)?
      for (index, statement) in statements.enumerated() {
        let before = ContinuousClock.now
        try run(statement, step, expansion, precautions)
        try kept?.afterStatement()
        let duration = ContinuousClock.now - before
        if index == statements.count - 1, kept == nil {
          last = (statement, duration)
        } else {
          let held = HeldLocks.matters(statement) ? try work.query(HeldLocks.query) : nil
          times.add(statement, duration, held.map { locks.added($0) })
        }
      }
      try kept?.finish()
      let held = try close(step, mark, last?.statement)
      if let last { times.add(last.statement, last.duration, held.map { locks.added($0) }) }
      row = mark.row
      try work.run("\(record(step, statements.count, started, times, mark)); COMMIT")
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

  /// Looks at the locks behind the last statement, goes back to our own role and settings, whatever
  /// the migration has left, and says in the WAL what was done.
  ///
  /// - Returns: all locks, where the statement is one to look behind.
  private func close(
    _ step: PlannedStep, _ mark: RestorePoints.Mark, _ last: ScriptStatement?
  ) throws -> QueryResult? {
    let looks = last.map(HeldLocks.matters) ?? false
    let parts: [SQLText?] = [
      looks ? HeldLocks.query : nil, "SET SESSION AUTHORIZATION DEFAULT",
      "SET LOCAL search_path = pg_catalog, pg_temp", session.announcement(step, mark),
    ]
    let results = try work.queries(parts.compactMap { $0 }.joined(separator: ";\n"))
    return looks ? results.first : nil
  }

  /// The statement that adds the history's row.
  private func record(
    _ step: PlannedStep, _ statements: Int, _ started: ContinuousClock.Instant,
    _ times: StatementTimes, _ mark: RestorePoints.Mark
  ) -> SQLText {
    History(connection: work, scope: session.options.scope).insertion(
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
