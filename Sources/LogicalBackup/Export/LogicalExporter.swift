public import ByteStream
import Glibc
public import Postgres
import Schema

/// Writes a database as one logical backup file, with several connections that see one moment.
///
/// Blocks the calling thread. The format is docs/repository-format.md's.
public struct LogicalExporter: Sendable {
  private let target: ConnectionTarget
  private let options: ExportOptions
  private let cancellation: Cancellation
  private let progress: ProgressReporter
  private let hooks: SnapshotHooks
  static let applicationName = "pgkeep backup"

  /// - Parameter progress: called often, from several threads.
  public init(
    _ target: ConnectionTarget, _ options: ExportOptions, cancellation: Cancellation,
    progress: @escaping @Sendable (ExportProgress) -> Void = { _ in }
  ) {
    self.init(target, options, cancellation: cancellation, hooks: SnapshotHooks(), progress)
  }

  init(
    _ target: ConnectionTarget, _ options: ExportOptions, cancellation: Cancellation,
    hooks: SnapshotHooks, _ progress: @escaping @Sendable (ExportProgress) -> Void = { _ in }
  ) {
    self.target = target
    self.options = options
    self.cancellation = cancellation
    self.hooks = hooks
    self.progress = ProgressReporter(progress)
  }

  /// Exports the whole database.
  ///
  /// A standby may cancel what reads too long behind its replay: then the export begins anew, three
  /// times in all.
  ///
  /// - Parameter makeSink: called once it is known that there is something to write, with about how
  ///   many bytes that may be; again when the export begins anew. Its sink is finished when
  ///   everything has been written, and aborted when anything fails.
  /// - Throws: ``LogicalBackupError``, `PostgresError`, or what the sink throws.
  public func export(
    to makeSink: (_ expectedSize: Int) throws -> any ByteSink
  ) throws -> ExportResult {
    var conflict: RecoveryConflict?
    for _ in 0..<Self.attempts {
      var isStandby = false
      do { return try attempt(makeSink, &isStandby) } catch {
        guard isStandby, let found = RecoveryConflict(error) else { throw error }
        try cancellation.check()
        conflict = found
      }
    }
    throw LogicalBackupError(
      .server,
      "The standby ended the backup's reading in each of \(Self.attempts) attempts, as it does when "
        + "its replay is held up. Set hot_standby_feedback on it, raise its "
        + "max_standby_streaming_delay, or back up from the primary.", cause: conflict?.error)
  }

  private static let attempts = 3

  private func attempt(
    _ makeSink: (_ expectedSize: Int) throws -> any ByteSink, _ isStandby: inout Bool
  ) throws -> ExportResult {
    let start = try begin(&isStandby)
    defer { start.session.close() }
    let waiting = options.onWaiting.map { tell in
      let connections = [start.session.connection] + start.workers
      return WaitingSessions(
        start.session.connection.target, for: connections.map(\.processID), tell)
    }
    defer { waiting?.close() }
    let plan = try ExportPlan(start.schema.tables, start.session.connection)
    progress.update {
      $0.phase = .rows
      $0.expectedBytes = plan.expectedBytes
      $0.tables = plan.tables.count
      $0.tablesDone = plan.emptyTables
    }
    // Rows compress to a quarter or less as a rule; stores take more than was expected.
    let sink = try makeSink(plan.expectedBytes / 3 + (1 << 20))
    do {
      let result = try write(start, plan, sink)
      try cancellation.check()
      try sink.finish()
      return result
    } catch {
      sink.abort()
      throw error
    }
  }

  /// A snapshot, the schema that is in it, and connections that have joined it.
  private struct Start {
    var session: SnapshotSession
    var schema: ExportSchema
    var facts: BackupFacts
    var workers: [Connection]
    /// That of the connections: the run's, or one part's that failed.
    var cancellation: Cancellation
  }

  private func connect(
    _ target: ConnectionTarget, _ cancellation: Cancellation
  ) throws -> Connection {
    var profile = SessionProfile.data
    // The catalogs are shared out between connections: workers of the server's own would only
    // take the processors from them.
    profile.settings.append(("max_parallel_workers_per_gather", "0"))
    if let role = options.role { profile.settings.append(("role", role)) }
    return try Connection(
      target, ConnectionOptions(applicationName: Self.applicationName, profile: profile),
      cancellation: cancellation)
  }

  /// - Parameter isStandby: set as soon as it is known.
  private func begin(_ isStandby: inout Bool) throws -> Start {
    let connections = cancellation.child()
    let lead = try connect(target, connections)
    try SupportedServers.check(lead.majorVersion, forced: options.takesUntestedServers)
    let server = try ServerFacts.read(lead)
    isStandby = server.isStandby
    // Rows without a schema meet foreign keys: their order is that of one connection.
    let jobs =
      options.selection.contents == .rows
      ? 1 : max(1, options.jobs ?? Self.defaultJobs(server))
    // For a look at the present; not needed any more once rows are read.
    let present = try connect(lead.target, connections)
    defer { present.close() }
    // All on the host that answered, when there are several.
    let workers = try workers(jobs - 1) { try connect(lead.target, connections) }
    let selection = options.selection
    var options = options.snapshot
    options.filter = selection.filter
    let deadline = ContinuousClock.now + options.lockWait
    for round in 0..<options.rounds {
      progress.update { $0.phase = .locking }
      options.lockWait = max(.seconds(1), ContinuousClock.now.duration(to: deadline))
      let session = try SnapshotSession.open(lead, options, hooks: hooks)
      progress.update { $0.phase = .schema }
      var facts = try ServerFacts.read(lead)
      facts.systemIdentifier = server.systemIdentifier
      for worker in workers { try SnapshotTransaction.join(worker, snapshot: session.snapshot) }
      // What is not a table, and tables that were not chosen, may still be locked by somebody.
      for connection in [lead] + workers {
        let left = max(1, Int(options.lockWait / .milliseconds(1)))
        try connection.run("SET lock_timeout = \(left)")
      }
      let schema = try ExportSchema.read(
        session, selection, with: workers, present: present, cancellation: cancellation,
        afterReading: hooks.afterReading)
      guard let schema else {
        for connection in [lead] + workers {
          try connection.run("ROLLBACK")
          try connection.run("SET lock_timeout = 0")
        }
        SnapshotOptions.pause(after: round)
        continue
      }
      var made = self.facts(lead, facts, schema)
      made.migration = try NewestMigration.read(lead)
      return Start(
        session: session, schema: withoutUnreadable(schema, facts), facts: made, workers: workers,
        cancellation: connections)
    }
    throw LogicalBackupError(
      .schemaChanged,
      "The schema of \(target) changed in each of \(options.rounds) attempts to read it. Take the "
        + "backup when no migration runs.")
  }

  /// The smallest of 4, twice the machine's cores, and half of the connections that the role can
  /// still make: docs/architecture.md has the reasons.
  static func defaultJobs(_ server: ServerFacts, cores: Int = processors) -> Int {
    max(1, min(4, 2 * cores, server.freeConnections / 2))
  }

  private static var processors: Int { max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))) }

  /// Connections beside the first. Somebody else may have taken what was free a moment ago: only
  /// a number that was asked for must be had.
  private func workers(_ count: Int, _ connect: () throws -> Connection) throws -> [Connection] {
    var workers: [Connection] = []
    for _ in 0..<count {
      do { workers.append(try connect()) } catch let error as PostgresError
        where error.code == .tooManyConnections && options.jobs == nil
      {
        break
      }
    }
    return workers
  }

  /// On a standby, rows of unlogged tables cannot be read: the schema is kept without them.
  private func withoutUnreadable(_ schema: ExportSchema, _ server: ServerFacts) -> ExportSchema {
    guard server.isStandby else { return schema }
    var schema = schema
    schema.tables.removeAll(where: \.isUnlogged)
    return schema
  }

  private func facts(
    _ connection: Connection, _ server: ServerFacts, _ schema: ExportSchema
  ) -> BackupFacts {
    let database = schema.database
    let providers: [Character: String] = ["c": "libc", "i": "icu", "b": "builtin"]
    var facts = BackupFacts(
      id: options.id, snapshotTime: server.now, tool: options.tool, database: database.name,
      serverVersion: connection.reportedParameter("server_version") ?? "",
      serverVersionNumber: connection.serverVersion, encoding: database.encoding,
      collate: database.collate, ctype: database.characterType,
      localeProvider: providers[database.localeProvider] ?? "libc", locale: database.locale,
      owner: database.owner)
    facts.icuRules = database.icuRules
    facts.systemIdentifier = server.systemIdentifier
    facts.isStandby = server.isStandby
    facts.roles = schema.roles
    facts.extensions = schema.extensions
    facts.selection = options.selection.words
    facts.isPartial = options.selection.isPartial
    facts.hasDatabaseSettings = options.selection.includesDatabaseSettings
    facts.isFiltered = options.selection.leavesOutObjects
    facts.contents = options.selection.contents
    if server.isStandby {
      for table in schema.tables where table.isUnlogged {
        facts.selection.append("without the rows of unlogged table \(table.qualifiedName)")
      }
    }
    return facts
  }

  // MARK: Writing

  private func write(
    _ start: Start, _ plan: ExportPlan, _ sink: any ByteSink
  ) throws -> ExportResult {
    let pipeline = MemberPipeline(makers: start.workers.count + 1, options)
    let connections = start.cancellation
    // When one part fails, the others' statements are cancelled on the server too.
    let group = ThreadGroup(following: start.cancellation) { error in
      pipeline.fail(error)
      connections.cancel(reason: "another part of the backup failed")
    }
    let result = Monitor<ExportResult?>(nil)
    // Handed to the thread whole: nobody else touches it.
    nonisolated(unsafe) let sequencer = Sequencer(
      pipeline, sink: sink, facts: start.facts, tables: plan.tables, progress: progress)
    let facts = start.facts
    group.start("sequencer") {
      let written = try sequencer.run(facts)
      result.update { $0 = written }
    }
    do {
      try produce(start, plan, pipeline, group)
      pipeline.channel.finish()
    } catch { group.fail(error) }
    try group.join()
    guard let result = result.update({ $0 }) else {
      throw LogicalBackupError(.server, "The export ended without a result.")
    }
    return result
  }

  /// Makes all members, in an order in which the file can be run.
  private func produce(
    _ start: Start, _ plan: ExportPlan, _ pipeline: MemberPipeline, _ group: ThreadGroup
  ) throws {
    let lead = start.session.connection
    let maker = try MemberMaker(pipeline)
    let schema = SchemaMembers(maker)
    maker.append(FileHeader(start.facts).text)
    try maker.finish(.header)
    try schema.preData(start.schema.script.preData)
    let largeObjects = LargeObjects(lead, group.cancellation)
    let selection = options.selection
    let batches = selection.takesLargeObjects ? try largeObjects.create(maker) : []

    try rows(start, plan, batches, maker, pipeline, group)

    progress.update { $0.phase = .finishing }
    if !batches.isEmpty { try largeObjects.access(maker, selection) }
    let reader = SchemaReader(lead, cancellation: group.cancellation)
    try schema.sequences(try reader.readSequenceValues(of: start.schema.sequences))
    try schema.postData(start.schema.script.postData)
  }

  /// Reads all rows and large objects, with every connection.
  private func rows(
    _ start: Start, _ plan: ExportPlan, _ batches: [LargeObjectBatch], _ maker: MemberMaker,
    _ pipeline: MemberPipeline, _ group: ThreadGroup
  ) throws {
    let queue = WorkQueue(
      plan.units.map(RowExporter.Work.rows) + batches.map(RowExporter.Work.largeObjects))
    let refused = WorkQueue<RowExporter.Work>([])
    let running = Monitor(start.workers.count)
    for (number, worker) in start.workers.enumerated() {
      // Each connection belongs to its thread from here on.
      nonisolated(unsafe) let connection = worker
      group.start("export-\(number + 1)") {
        defer { running.update { $0 -= 1 } }
        do {
          let exporter = RowExporter(
            connection: connection, maker: try MemberMaker(pipeline), plan: plan,
            progress: progress, cancellation: group.cancellation)
          try exporter.run(queue, refused: refused)
        } catch {
          group.fail(error)
        }
        connection.close()
      }
    }
    let exporter = RowExporter(
      connection: start.session.connection, maker: maker, plan: plan, progress: progress,
      cancellation: group.cancellation)
    do { try exporter.run(queue, refused: nil) } catch { group.fail(error) }
    running.wait { $0 == 0 ? () : nil }
    try group.cancellation.check()
    try exporter.run(refused, refused: nil)
  }
}
