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
    let mark = try session.prepare(for: step)
    var row: Int?
    do {
      var times = StatementTimes()
      var locks = HeldLocks()
      let precautions = DropPrecautions(session, step, row: mark.row)
      let kept = try KeptData(session, step, row: mark.row)
      // The first statement takes the BEGIN with it, where it is sent as it is.
      let isFirstAlone = precautions == nil && statements.first.map { $0.rows == nil } ?? false
      if !isFirstAlone { try work.run("BEGIN") }
      for (index, statement) in statements.enumerated() {
        let before = ContinuousClock.now
        let held = try run(
          statement, step, expansion, precautions, begins: isFirstAlone && index == 0)
        try kept?.afterStatement()
        times.add(statement, ContinuousClock.now - before, held.map { locks.added($0) })
      }
      try kept?.finish()
      row = mark.row
      try session.commit(end(step, statements.count, started, times, mark))
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

  /// - Returns: all locks behind the statement, where it is one to look behind.
  private func run(
    _ statement: ScriptStatement, _ step: PlannedStep, _ expansion: VariableExpansion,
    _ precautions: DropPrecautions?, begins: Bool
  ) throws -> QueryResult? {
    let text = try expansion.expand(statement.statement.text)
    let look = HeldLocks.matters(statement) ? HeldLocks.query : nil
    var held: QueryResult?
    do {
      held = try session.watch.during(step, mayGiveWay: true) {
        guard precautions == nil, statement.rows == nil else {
          if let precautions {
            try precautions.run(statement, text: text)
          } else {
            try work.run(statement, text: text)
          }
          return try look.map { try work.query($0) }
        }
        return try work.run(text, begins: begins, thenQuery: look)
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
    return held
  }

  /// Statements that go back to our own role and settings, whatever the migration has left, say in
  /// the WAL what was done, and add the history's row.
  private func end(
    _ step: PlannedStep, _ statements: Int, _ started: ContinuousClock.Instant,
    _ times: StatementTimes, _ mark: RestorePoints.Mark
  ) -> SQLText {
    let record = History(connection: work, scope: session.options.scope).insertion(
      as: mark.row,
      step.row(
        .done, statements: statements, toolVersion: session.options.toolVersion,
        duration: ContinuousClock.now - started, details: times.json(mark)))
    let parts: [SQLText?] = [
      "SET SESSION AUTHORIZATION DEFAULT", "SET LOCAL search_path = pg_catalog, pg_temp",
      session.announcement(step, mark), record,
    ]
    return parts.compactMap { $0 }.joined(separator: ";\n")
  }

  private func rollBack() {
    guard work.isUsable, work.isInTransaction else { return }
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

  /// Whether the transaction took effect although the answer to its COMMIT was lost, or what came
  /// behind the COMMIT failed.
  private func isRecorded(_ row: Int, _ error: PostgresError) throws -> Bool {
    if error.code == .server {
      guard session.next != nil, work.isUsable, !work.isInTransaction else { return false }
    } else {
      work.close()
      try session.lock.awaitEndOfWork()
    }
    return try session.history.exists(row)
  }
}
