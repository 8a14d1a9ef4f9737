import ByteStream
import Postgres

extension Migrator {
  /// The operations of a ``Migrator``, each blocking the calling thread until it is done.
  public struct Blocking: Sendable {
    let target: ConnectionTarget
    let options: MigratorOptions
    let cancellation: Cancellation
    let emit: @Sendable (MigrationEvent) -> Void

    /// See ``Migrator/up(_:to:)``.
    @discardableResult
    public func up(_ files: MigrationFiles, to version: MigrationVersion? = nil) throws
      -> [FinishedStep]
    {
      // A look without the lock: most starts of a service find nothing to do, and what cannot be
      // run is said before anything is waited for.
      let early = try planUp(files, to: version)
      _ = try early.steps.map { try $0.script.statements() }
      guard !early.steps.isEmpty else {
        for warning in early.warnings { emit(.warning(warning)) }
        return []
      }
      let session = try MigrationSession(target, options, cancellation: cancellation, emit)
      let plan = try planUp(files, to: version, session.history)
      for warning in plan.warnings { emit(.warning(warning)) }
      return try run(plan, session)
    }

    /// See ``Migrator/planUp(_:to:)``.
    public func planUp(_ files: MigrationFiles, to version: MigrationVersion? = nil) throws
      -> MigrationPlan
    {
      try planUp(files, to: version, try readHistory())
    }

    /// See ``Migrator/down(_:files:allowsIrreversible:)``.
    @discardableResult
    public func down(
      _ target: DownTarget, files: MigrationFiles? = nil, allowsIrreversible: Bool = false
    ) throws -> [FinishedStep] {
      let session = try MigrationSession(
        self.target, options, cancellation: cancellation, emit)
      let plan = try planDown(
        target, files: files, allowsIrreversible: allowsIrreversible, session.history)
      for warning in plan.warnings { emit(.warning(warning)) }
      return try run(plan, session)
    }

    /// What ``down(_:files:allowsIrreversible:)`` would do now.
    public func planDown(
      _ target: DownTarget, files: MigrationFiles? = nil, allowsIrreversible: Bool = false
    ) throws -> MigrationPlan {
      try planDown(
        target, files: files, allowsIrreversible: allowsIrreversible, try readHistory())
    }

    /// See ``Migrator/status(_:)``.
    public func status(_ files: MigrationFiles) throws -> MigrationStatus {
      MigrationStatus(files, AppliedState(try history()))
    }

    /// See ``Migrator/verify(_:wantsAllApplied:)``.
    public func verify(_ files: MigrationFiles, wantsAllApplied: Bool = false) throws
      -> Verification
    {
      // What cannot be run is no better for being applied already.
      for migration in files.migrations {
        _ = try migration.up.statements()
        _ = try migration.down?.statements()
      }
      for file in files.repeatables { _ = try file.script.statements() }
      var found = Verification(try status(files), wantsAllApplied: wantsAllApplied)
      if options.recordsSchema, options.scope.isEmpty { found.add(try drift()) }
      return found
    }

    /// See ``Migrator/history()``.
    public func history() throws -> [HistoryEntry] { try readHistory().entries() }

    /// The migration that was applied last; nil when none is.
    public func current() throws -> HistoryEntry? { AppliedState(try history()).applied.last }

    func readHistory() throws -> History {
      let connection = try Connection(
        target, ConnectionOptions(applicationName: "pgkeep migrate", profile: .statements),
        cancellation: cancellation)
      return History(connection: connection, scope: options.scope)
    }

    private func planUp(
      _ files: MigrationFiles, to version: MigrationVersion?, _ history: History
    ) throws -> MigrationPlan {
      let planner = UpPlanner(
        files: files, state: AppliedState(try history.entries()), outOfOrder: options.outOfOrder,
        history: history)
      return try planner.plan(to: version)
    }

    private func planDown(
      _ target: DownTarget, files: MigrationFiles?, allowsIrreversible: Bool, _ history: History
    ) throws -> MigrationPlan {
      let planner = DownPlanner(
        state: AppliedState(try history.entries()), history: history, files: files,
        allowsIrreversible: allowsIrreversible)
      return try planner.plan(target)
    }

    /// Takes the steps one after another. All of them are read and checked before the first.
    func run(_ plan: MigrationPlan, _ session: MigrationSession) throws -> [FinishedStep] {
      let parsed = try plan.steps.map { step in
        try VariableExpansion(step.script, options.variable).check()
        return step.script.text.isEmpty ? [] : try step.script.statements()
      }
      var done: [FinishedStep] = []
      let recorder = SchemaRecorder(session, steps: plan.steps.count)
      defer { recorder?.close() }
      for (step, statements) in zip(plan.steps, parsed) {
        session.emit(.starting(step))
        do {
          let runner: any StepRunner =
            step.script.isTransactional
            ? TransactionRunner(session) : StatementRunner(session)
          let finished = try runner.run(step, statements)
          done.append(finished)
          recorder?.note(finished)
          session.emit(.finished(finished))
        } catch var error as MigrationsError {
          error.done = done
          throw error
        } catch let error as PostgresError where error.code == .cancelled {
          throw MigrationsError(
            .cancelled, "\(error.message) Nothing of \(step.title) was begun.", done: done,
            cause: error)
        }
      }
      return done
    }
  }
}
