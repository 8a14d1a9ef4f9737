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
    _ session: SnapshotSession, with workers: [Connection] = [], present: Connection,
    cancellation: Cancellation, afterReading: () throws -> Void = {}
  ) throws -> ExportSchema? {
    let before = try CatalogFingerprint.read(session.connection)
    let reading = try read(session.connection, workers, cancellation)
    try afterReading()
    guard try CatalogFingerprint.read(present) == before else { return nil }
    let catalog = try reading.get()
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
    return ExportSchema(
      script: catalog.script(), tables: catalog.tables, sequences: catalog.sequences,
      roles: catalog.roles, extensions: catalog.extensions.map(\.name),
      database: catalog.database)
  }

  /// A failure is what a function of the server says when it finds an object gone that the snapshot
  /// still has. When nothing has changed, it is an error of the database's own, such as a view that
  /// the server cannot write down.
  private static func read(
    _ connection: Connection, _ workers: [Connection], _ cancellation: Cancellation
  ) throws -> Result<SchemaCatalog, PostgresError> {
    do {
      return .success(
        try SchemaReader(connection, cancellation: cancellation).read(with: workers))
    } catch let error as PostgresError {
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
