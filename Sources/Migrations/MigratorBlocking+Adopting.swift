import ByteStream
import Glibc
import Postgres

/// Operations that change what the history says, and nothing in the database beside it.
extension Migrator.Blocking {
  /// Records that the database already has the migrations up to `version`, which were made before
  /// pgkeep came. They are then neither run by `up` nor, unless told to, taken back by `down`.
  ///
  /// - Returns: what was recorded; empty when all of it was known.
  @discardableResult
  public func baseline(_ files: MigrationFiles, at version: MigrationVersion) throws -> [Migration]
  {
    guard files.migration(version) != nil else {
      throw MigrationsError(
        .noSuchStep, "There is no file for version \(version); a baseline is one of the files.")
    }
    let session = try MigrationSession(target, options, cancellation: cancellation, emit)
    let state = AppliedState(try session.history.entries())
    try refuseUnfinished(state)
    let missing = files.migrations.filter {
      $0.version <= version && state.applied($0.version) == nil
    }
    try session.lock.connection.transaction {
      for migration in missing { try record(migration, .up, .baseline, session) }
    }
    // From here on, what is changed by hand can be told.
    if !missing.isEmpty { try recordPresent(session) }
    return missing
  }

  /// Records a person's word about a migration, whatever the history said before.
  ///
  /// For a migration without a transaction that stopped half way and was finished or cleaned up
  /// by hand; and for one whose file was changed on purpose after it was applied: saying that it
  /// is applied keeps the file's present text.
  public func repair(
    _ files: MigrationFiles?, _ version: MigrationVersion, isApplied: Bool
  ) throws {
    let session = try MigrationSession(target, options, cancellation: cancellation, emit)
    let state = AppliedState(try session.history.entries())
    let known =
      state.unfinished.first { $0.version == version } ?? state.applied(version)
    if let migration = files?.migration(version) {
      try record(migration, isApplied ? .up : .down, .repaired, session)
    } else if let known {
      let texts = try session.history.texts(known.id)
      let row = NewHistoryRow(
        version: version, name: known.name, direction: isApplied ? .up : .down,
        outcome: .repaired, upChecksum: known.upChecksum, downChecksum: known.downChecksum,
        upText: texts.up, downText: texts.down, host: HostName.current,
        toolVersion: options.toolVersion)
      _ = try session.history.add(row)
    } else {
      throw MigrationsError(
        .noSuchStep, "There is no migration \(version), neither as a file nor in the history.")
    }
  }

  /// Takes the last migration back and applies it again, from its file.
  @discardableResult
  public func redo(_ files: MigrationFiles) throws -> [FinishedStep] {
    let session = try MigrationSession(target, options, cancellation: cancellation, emit)
    let state = AppliedState(try session.history.entries())
    let planner = DownPlanner(
      state: state, history: session.history, files: files, allowsIrreversible: false)
    var plan = try planner.plan(.steps(1))
    guard let version = plan.steps.first?.version, let migration = files.migration(version) else {
      let title = plan.steps.first?.title ?? ""
      throw MigrationsError(
        .noSuchStep, "\(title) has no file here, so it could not be applied again.")
    }
    plan.steps.append(PlannedStep(migration))
    return try run(plan, session)
  }

  /// Waits until the database accepts connections, and, where files are given, until all of them
  /// are applied (by another instance).
  ///
  /// - Throws: the last reason why not, once `limit` has passed.
  public func wait(_ files: MigrationFiles? = nil, limit: Duration) throws {
    let deadline = ContinuousClock.now + limit
    while true {
      var reason: any Error
      do {
        let entries = try history()
        guard let files else { return }
        let status = MigrationStatus(files, AppliedState(entries))
        let open = status.count(.pending) + status.count(.unfinished)
        if open == 0 { return }
        reason = MigrationsError(
          .drift, "\(open) migrations are still not applied to \(target).")
      } catch let error as PostgresError where Self.mayPass(error) {
        reason = error
      }
      if let stop = cancellation.reason {
        throw MigrationsError(.cancelled, "Stopped while waiting: \(stop).", cause: reason)
      }
      guard ContinuousClock.now < deadline else { throw reason }
      usleep(200_000)
    }
  }

  /// Whether a server that is starting, or not there yet, gives this error.
  private static func mayPass(_ error: PostgresError) -> Bool {
    switch error.code {
    case .unreachable, .tooManyConnections, .connectionLost, .noSuchDatabase: true
    default: error.sqlState == .cannotConnectNow
    }
  }

  private func refuseUnfinished(_ state: AppliedState) throws {
    guard let attempt = state.unfinished.first else { return }
    throw MigrationsError(
      .unfinished,
      "\(attempt.title) stopped half way. Finish it first, or say what is true with migrate repair."
    )
  }

  private func record(
    _ migration: Migration, _ direction: Direction, _ outcome: HistoryEntry.Outcome,
    _ session: MigrationSession
  ) throws {
    _ = try session.history.add(
      NewHistoryRow(
        version: migration.version, name: migration.name, direction: direction, outcome: outcome,
        upChecksum: migration.up.checksum, downChecksum: migration.down?.checksum,
        upText: migration.up.text, downText: migration.down?.text, host: HostName.current,
        toolVersion: options.toolVersion))
  }
}
