import ByteStream
import Postgres
import Schema

/// The schema as a backup needs it: rendered, and known to be that of the snapshot.
struct ExportSchema: Sendable {
  var script: SchemaScript
  var tables: [TableData]
  var sequences: [SequenceData]
  var roles: [SQLText]
  var extensions: [SQLText]
  var database: DatabaseFacts

  /// Reads and renders the schema under a snapshot.
  ///
  /// - Parameters:
  ///   - session: whose transaction the catalogs are read in.
  ///   - workers: connections that have joined the snapshot, to share the work.
  ///   - present: another connection, with no transaction open, to see the present by.
  ///   - afterReading: called before the comparison, by tests.
  /// - Returns: nil when the catalogs have changed since the snapshot was taken: what the server's
  ///   functions rendered may then be from after it, and everything has to start again.
  /// - Throws: ``LogicalBackupError/Code/unsupported`` with all that cannot be expressed.
  static func read(
    _ session: SnapshotSession, _ selection: ExportSelection = ExportSelection(),
    with workers: [Connection] = [], present: Connection, cancellation: Cancellation,
    afterReading: () throws -> Void = {}
  ) throws -> ExportSchema? {
    let lead = session.connection
    let seen = try CatalogView.read(lead)
    // A failure must leave the transaction fit for the comparison.
    try lead.run("SAVEPOINT catalogs")
    let reading = try read(lead, selection.filter, workers, present: present, cancellation)
    let hasFailed = if case .failure = reading { true } else { false }
    try lead.run("\(hasFailed ? "ROLLBACK TO" : "RELEASE" as SQLText) SAVEPOINT catalogs")
    try afterReading()
    let comparison = try CatalogComparison(
      lead, seen, present, cancellation: cancellation)
    // Meanwhile the statements are put together.
    let made = Result { () throws -> ExportSchema in
      let catalog = try reading.get()
      try check(catalog, session)
      guard selection.contents != .rows else { return ExportSchema(rowsOf: catalog) }
      let schema = ExportSchema(catalog, selection)
      try refuseCircles(schema.script)
      return schema
    }
    guard try comparison.isUnchanged() else { return nil }
    var schema = try made.get()
    if selection.contents != .rows, selection.includesDatabaseSettings {
      try schema.addDatabaseSettings(lead, selection)
    }
    return schema
  }

  private static func check(_ catalog: SchemaCatalog, _ session: SnapshotSession) throws {
    guard catalog.unsupported.isEmpty else {
      let named = catalog.unsupported.prefix(20).map { "\($0.what) \($0.name)" }
      let more = catalog.unsupported.count - named.count
      throw LogicalBackupError(
        .unsupported,
        "The database holds what a backup cannot express yet, so none was taken: "
          + named.joined(separator: "; ") + (more > 0 ? "; and \(more) more" : "") + ".",
        object: named.first)
    }
    let locked = Set(session.tables.map(\.oid))
    for table in catalog.tables where !locked.contains(table.oid) {
      throw LogicalBackupError(
        .unsupported, "Table \(table.qualifiedName) has rows to back up, but is not locked.",
        object: "\(table.qualifiedName)")
    }
  }

  /// Locks that were not asked for: the server's functions take them while they write something
  /// down, also of tables that were not chosen.
  private static func lockNotObtained(
    _ error: PostgresError, own: [Connection], _ present: Connection
  ) throws -> LogicalBackupError {
    let holders = try LockHolder.find(present, own: own.map(\.processID))
    let named = holders.prefix(3).map { "\($0.relationName) (\($0.words))" }
    let holder =
      named.isEmpty
      ? "another session held a lock on something in it"
      : "other sessions keep readers out of \(named.joined(separator: "; "))"
    return LogicalBackupError(
      .lockNotObtained,
      "The schema could not be read: \(holder), and the wait is over. Take the backup when that "
        + "session has finished.",
      object: holders.first?.relationName, cause: error)
  }

  private static func refuseCircles(_ script: SchemaScript) throws {
    guard let circle = script.circles.first else { return }
    throw LogicalBackupError(
      .unsupported,
      "These objects need each other, and there is no order in which they could be made, so no "
        + "backup was taken: \(circle.prefix(20).map { "\($0)" }.joined(separator: "; ")).",
      object: circle.first.map { "\($0)" })
  }

  private init(_ catalog: SchemaCatalog, _ selection: ExportSelection) {
    script = catalog.script(selection.script)
    tables = catalog.tables
    sequences = catalog.sequences
    roles = catalog.roles(selection.script)
    extensions = catalog.extensions.map(\.name)
    database = catalog.database
    guard selection.contents == .schema else { return }
    tables = []
    sequences = []
    // The rows of a materialized view are rows too.
    script.postData.removeAll { $0.kind == .materializedViewRefresh }
  }

  /// Rows alone, of tables in an order in which foreign keys hold, as far as there is one.
  private init(rowsOf catalog: SchemaCatalog) {
    script = SchemaScript(preData: [], postData: [])
    tables = Self.parentsFirst(catalog.tables)
    sequences = catalog.sequences
    roles = []
    extensions = []
    database = catalog.database
  }

  /// One step for all of them: they are about one row of a catalog.
  private mutating func addDatabaseSettings(
    _ connection: Connection, _ selection: ExportSelection
  ) throws {
    var settings = try DatabaseSettings(connection).read(database.name)
    if selection.omitsPrivileges { settings.removeAll(where: \.isPrivilege) }
    var sql = SQLText()
    for setting in settings {
      // Whatever name the database is restored under.
      let body: SQLText = """
         BEGIN
          EXECUTE \(setting.before.quotedLiteral)
            || pg_catalog.quote_ident(pg_catalog.current_database())
            || \(setting.after.quotedLiteral);
        END
        """
      sql += "DO \(FileHeader.dollarQuoted(body));\n"
      if let role = setting.role, !roles.contains(role) { roles.append(role) }
    }
    guard !sql.isEmpty else { return }
    script.postData.append(
      SchemaItem(
        kind: .database, schema: nil, name: database.name, owner: nil, sql: sql, stage: .last,
        locks: [], dependencies: []))
  }

  private static func parentsFirst(_ tables: [TableData]) -> [TableData] {
    let byOID = Dictionary(tables.map { ($0.oid, $0) }, uniquingKeysWith: { first, _ in first })
    var ordered: [TableData] = []
    var seen: Set<UInt32> = []
    for table in tables {
      // Depth first, without recursion: a chain of references may be long.
      var open: [(table: TableData, isDone: Bool)] = [(table, false)]
      while let (next, isDone) = open.popLast() {
        if isDone {
          ordered.append(next)
        } else if seen.insert(next.oid).inserted {
          open.append((next, true))
          open += next.references.reversed().compactMap { byOID[$0] }.map { ($0, false) }
        }
      }
    }
    return ordered
  }

  /// A failure is what a function of the server says when it finds an object gone that the snapshot
  /// still has. When nothing has changed, it is an error of the database's own, such as a view that
  /// the server cannot write down.
  private static func read(
    _ connection: Connection, _ filter: SchemaFilter, _ workers: [Connection],
    present: Connection, _ cancellation: Cancellation
  ) throws -> Result<SchemaCatalog, PostgresError> {
    do {
      return .success(
        try SchemaReader(connection, cancellation: cancellation).read(filter, with: workers))
    } catch let error as PostgresError {
      if error.sqlState == .lockNotAvailable {
        throw try lockNotObtained(error, own: [connection] + workers, present)
      }
      // "could not open relation with OID", "cache lookup failed": dropped since.
      guard error.sqlState == "XX000" || error.sqlState?.conditionClass == "42" else { throw error }
      let all = [connection] + workers
      if all.allSatisfy(\.isUsable), all.contains(where: \.hasFailedTransaction) {
        return .failure(error)
      }
      throw error
    }
  }
}
