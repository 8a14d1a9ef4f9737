public import ByteStream
public import Postgres

/// Changes a database's schema by migration files, and takes the changes back.
///
///     let files = try MigrationFiles(folder: "migrations")
///     let migrator = Migrator(try ConnectionTarget(url), MigratorOptions(toolVersion: "1.0"))
///     try await migrator.up(files)
///
/// Any number of processes may do this at once: one works, the others wait and then find nothing
/// left to do. Every method has a blocking form in ``Migrator/Blocking`` for programs that do not
/// use `async`.
public struct Migrator: Sendable {
  /// The same operations on the calling thread. Waits end when `cancellation` is cancelled.
  public let blocking: Blocking

  /// - Parameter onEvent: called with what happens, on the thread that works.
  public init(
    _ target: ConnectionTarget, _ options: MigratorOptions,
    cancellation: Cancellation = Cancellation(),
    onEvent: @escaping @Sendable (MigrationEvent) -> Void = { _ in }
  ) {
    blocking = Blocking(
      target: target, options: options, cancellation: cancellation, emit: onEvent)
  }

  /// Applies what is not applied yet.
  ///
  /// - Parameter version: the last one to apply; nil for all.
  /// - Returns: what was done, in order; empty when there was nothing to do.
  /// - Throws: ``MigrationsError``, or `PostgresError` when the database cannot be reached.
  @discardableResult
  public func up(_ files: MigrationFiles, to version: MigrationVersion? = nil) async throws
    -> [FinishedStep]
  {
    try await job { try $0.up(files, to: version) }
  }

  /// Takes migrations back, by the down texts that the history keeps.
  @discardableResult
  public func down(
    _ target: DownTarget, files: MigrationFiles? = nil, allowsIrreversible: Bool = false
  ) async throws -> [FinishedStep] {
    try await job {
      try $0.down(target, files: files, allowsIrreversible: allowsIrreversible)
    }
  }

  /// What ``up(_:to:)`` would do now.
  public func planUp(_ files: MigrationFiles, to version: MigrationVersion? = nil) async throws
    -> MigrationPlan
  {
    try await job { try $0.planUp(files, to: version) }
  }

  /// Where the database stands. Changes nothing, and waits for no lock.
  public func status(_ files: MigrationFiles) async throws -> MigrationStatus {
    try await job { try $0.status(files) }
  }

  /// Holds the files against the history.
  ///
  /// - Parameter wantsAllApplied: whether a pending migration is a finding too.
  public func verify(_ files: MigrationFiles, wantsAllApplied: Bool = false) async throws
    -> Verification
  {
    try await job { try $0.verify(files, wantsAllApplied: wantsAllApplied) }
  }

  /// Compares the database with what the last migration left. Reads the whole schema.
  public func drift() async throws -> SchemaDrift { try await job { try $0.drift() } }

  /// Waits until another instance has applied all of `files`, for at most `limit`.
  public func wait(_ files: MigrationFiles? = nil, limit: Duration) async throws {
    try await job { try $0.wait(files, limit: limit) }
  }

  /// Everything that was ever done, oldest first.
  public func history() async throws -> [HistoryEntry] { try await job { try $0.history() } }

  private func job<Result: Sendable>(
    _ body: @escaping @Sendable (Blocking) throws -> Result
  ) async throws -> Result {
    let blocking = blocking
    return try await JobThread.run("migrate", cancellation: blocking.cancellation) {
      try body(blocking)
    }
  }
}
