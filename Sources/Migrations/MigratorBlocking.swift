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
      try up(files, to: version, readHistory())
    }

    /// See ``Migrator/up(_:to:)``. Connects while the folder is being read.
    @discardableResult
    public func up(_ folder: MigrationFolder, to version: MigrationVersion? = nil) throws
      -> [FinishedStep]
    {
      let (files, known) = try folder.files.with { try readHistory() }
      return try up(files, to: version, known)
    }

    private func up(
      _ files: MigrationFiles, to version: MigrationVersion?, _ known: KnownHistory
    ) throws -> [FinishedStep] {
      // A look without the lock: most starts of a service find nothing to do, and what cannot be
      // run is said before anything is waited for.
      let early = try planUp(files, to: version, known)
      _ = try early.steps.map { try $0.script.statements() }
      guard !early.steps.isEmpty else {
        for warning in early.warnings { emit(.warning(warning)) }
        return []
      }
      let session = try MigrationSession(target, options, cancellation: cancellation, emit)
      let plan = try planUp(files, to: version, KnownHistory(session.history))
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
        target, files: files, allowsIrreversible: allowsIrreversible,
        KnownHistory(session.history))
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

    /// See ``Migrator/status(_:)``. Connects while the folder is being read, and does not look at
    /// changes of down files.
    public func status(_ folder: FolderOverview) throws -> MigrationStatus {
      let (files, state) = try folder.files.with { AppliedState(try history()) }
      return MigrationStatus(files, state)
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
    public func history() throws -> [HistoryEntry] { try readHistory().entries }

    /// The migration that was applied last; nil when none is.
    public func current() throws -> HistoryEntry? { AppliedState(try history()).applied.last }

    /// The history as it is now, over a connection that is made for it, without settings of its
    /// own: it only reads.
    func readHistory() throws -> KnownHistory {
      let connection = try Connection(
        target, ConnectionOptions(applicationName: "pgkeep migrate", profile: .none),
        cancellation: cancellation)
      return try KnownHistory(History(connection: connection, scope: options.scope))
    }

    /// The rows of a history, and where more of them can be read.
    struct KnownHistory {
      let history: History
      let entries: [HistoryEntry]

      init(_ history: History) throws {
        self.history = history
        entries = try history.entries()
      }
    }

    private func planUp(
      _ files: MigrationFiles, to version: MigrationVersion?, _ known: KnownHistory
    ) throws -> MigrationPlan {
      let planner = UpPlanner(
        files: files, state: AppliedState(known.entries), outOfOrder: options.outOfOrder,
        history: known.history)
      return try planner.plan(to: version)
    }

    private func planDown(
      _ target: DownTarget, files: MigrationFiles?, allowsIrreversible: Bool,
      _ known: KnownHistory
    ) throws -> MigrationPlan {
      let planner = DownPlanner(
        state: AppliedState(known.entries), history: known.history, files: files,
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
      for (index, (step, statements)) in zip(plan.steps, parsed).enumerated() {
        session.emit(.starting(step))
        session.next = plan.steps.dropFirst(index + 1).first
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
