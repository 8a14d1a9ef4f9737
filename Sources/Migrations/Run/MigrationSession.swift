import ByteStream
import Postgres

/// Two connections and the migration lock: what a run needs to change a database.
final class MigrationSession {
  let lock: MigrationLock
  /// Does the work. Reset after each migration, so that none sees another's settings.
  let work: Connection
  let options: MigratorOptions
  let emit: @Sendable (MigrationEvent) -> Void
  let watch: StatementWatch
  let cancellation: Cancellation
  /// Looks at each statement of a rehearsal.
  var observer: (any StatementObserver)?
  /// The step behind the one that runs. The end of the one brings the session where the other
  /// wants it.
  var next: PlannedStep?
  private let marks: RestorePoints
  /// What ``preparation(for:)`` gave for the next step.
  private var prepared: QueryResult?

  /// Waits for the lock, and makes the history's tables where they are missing.
  init(
    _ target: ConnectionTarget, _ options: MigratorOptions, cancellation: Cancellation,
    _ emit: @escaping @Sendable (MigrationEvent) -> Void
  ) throws {
    self.options = options
    self.cancellation = cancellation
    self.emit = emit
    lock = try MigrationLock(target, cancellation: cancellation)
    try Self.checkWritable(lock.connection)
    try PoolerCheck.run(lock.connection) {
      try Connection(
        target, ConnectionOptions(applicationName: "pgkeep migrate probe", profile: .statements),
        cancellation: cancellation)
    }
    try lock.obtain(limit: options.lockWait) { emit(.waitingForLock($0)) }
    // The server that answered first, where the target names several.
    work = try Connection(
      lock.connection.target,
      ConnectionOptions(
        applicationName: "pgkeep migrate work for \(lock.connection.processID)",
        profile: .statements),
      cancellation: cancellation)
    watch = StatementWatch(
      lock.connection.target, processID: work.processID, options, emit)
    work.onNotice = { emit(.notice($0)) }
    try HistorySchema.install(lock.connection, toolVersion: options.toolVersion)
    marks = try RestorePoints(lock.connection)
    try Self.check(work.query(Self.workLock))
    emit(.locked)
  }

  deinit { watch.close() }

  /// Reads and records over the connection that no migration touches.
  var history: History { History(connection: lock.connection, scope: options.scope) }

  /// A statement that says in the WAL what a step did; nil where the role may not.
  func announcement(_ step: PlannedStep, _ mark: RestorePoints.Mark) -> SQLText? {
    marks.announcement(step, mark)
  }

  /// Makes the session as it was before any migration, with the settings that `step` wants, and
  /// marks where it begins.
  func prepare(for step: PlannedStep) throws -> RestorePoints.Mark {
    defer { prepared = nil }
    try Self.check(prepared ?? work.queries(preparation(for: step)).last)
    return try marks.mark(step, work)
  }

  /// Runs what ends a step's transaction, and commits it.
  func commit(_ end: SQLText) throws {
    prepared = nil
    guard let next else { return try work.run("\(end);\nCOMMIT") }
    prepared = try work.queries("\(end);\nCOMMIT;\n\(preparation(for: next))").last
  }

  /// Statements that make the session as `step` wants it; the last tells whether the lock is still
  /// ours.
  private func preparation(for step: PlannedStep) -> SQLText {
    let timeout = Int(options.lockTimeout / .milliseconds(1))
    var settings: [(String, SQLText)] = [("lock_timeout", "\(timeout)")]
    for directive in step.script.directives {
      switch directive {
      case .lockTimeout(let time): settings.append(("lock_timeout", "\(time)"))
      case .statementTimeout(let time): settings.append(("statement_timeout", "\(time)"))
      default: continue
      }
    }
    if let path = options.searchPath {
      let names = path.map { SQLText($0).quotedIdentifier }.joined(separator: ", ")
      settings.append(("search_path", names))
    }
    let calls = settings.map { name, value -> SQLText in
      "pg_catalog.set_config('\(name)', \(value.quotedLiteral), false)"
    }
    return """
      \(SessionProfile.statements.reset);
      SELECT \(calls.joined(separator: ", "));
      \(Self.workLock)
      """
  }

  /// Takes the lock that the next run waits for when this one is killed while the server works for
  /// it. A migration may have dropped it with all advisory locks of its session.
  private static let workLock: SQLText = """
    SELECT pg_catalog.pg_try_advisory_lock_shared(\(SQLText(MigrationLock.workKey)))
    FROM (SELECT pg_catalog.pg_advisory_unlock_all()) u
    """

  private static func check(_ locked: QueryResult?) throws {
    guard let locked, locked.rowCount == 1, locked.bool(0, 0) else {
      throw MigrationsError(
        .lockNotObtained,
        "Another run has taken the migration lock from this one. Nothing more "
          + "was done; see migrate status.")
    }
  }

  /// Runs `body` over the connection that no migration touches, with the `search_path` that
  /// migrations have there.
  func asMigration<Result>(_ body: (Connection) throws -> Result) throws -> Result {
    let connection = lock.connection
    let names = options.searchPath?.map { SQLText($0).quotedIdentifier }.joined(separator: ", ")
    try connection.run(names.map { "SET search_path = \($0)" } ?? "RESET search_path")
    let result = Swift.Result { try body(connection) }
    if connection.isUsable { try connection.run("SET search_path = ''") }
    return try result.get()
  }

  private static func checkWritable(_ connection: Connection) throws {
    try connection.run("SET search_path = ''")
    let isStandby = try connection.query("SELECT pg_catalog.pg_is_in_recovery()").bool(0, 0)
    guard !isStandby else {
      throw MigrationsError(
        .notAllowed,
        "\(connection.target) is a standby and takes no changes. Give the primary's address.")
    }
  }
}
