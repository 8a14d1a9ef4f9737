public import ByteStream
public import LogicalBackup
import ObjectStore
public import PhysicalBackup
public import Postgres
import Repository

/// Brings one database, or some of its tables, out of a physical backup into another server: a
/// cluster is recovered next door, exported logically, and restored from that.
public struct DatabaseRecovery: Sendable {
  private let copy: ClusterCopy
  private let workDirectory: String
  private let cancellation: Cancellation

  /// - Parameter workDirectory: where the export lies meanwhile; it exists.
  public init(_ copy: ClusterCopy, workDirectory: String, cancellation: Cancellation) {
    self.copy = copy
    self.workDirectory = workDirectory
    self.cancellation = cancellation
  }

  /// - Parameters:
  ///   - database: which one; nil for the only one that there is.
  ///   - target: where it is restored, as `options` say.
  /// - Throws: ``RecoveryError`` or what a step throws; the target is then as it was.
  public func run(
    _ catalog: PhysicalCatalog, _ plan: RecoveryPlan, database: String?,
    to target: ConnectionTarget, _ options: RestoreOptions, tool: String,
    onPhase: (String) -> Void = { _ in }, onBytes: @escaping @Sendable (Int) -> Void = { _ in }
  ) throws -> RestoreReport {
    try copy.with(catalog, plan, onPhase: onPhase, onBytes: onBytes) { source in
      let name = try Self.choose(database, source, cancellation)
      onPhase("export \(name)")
      let store = try DirectoryStore(path: workDirectory)
      let repository = BackupRepository(store, environment: "recovery")
      var backup = BackupTaker.Options(tool: tool)
      backup.jobs = options.jobs
      let manifest = try BackupTaker(
        source.with(database: name), into: repository, backup, cancellation: cancellation
      ).take()
      let key = manifest.names.dataKey(encrypted: false)
      defer { try? store.delete([manifest.names.manifestKey, key]) }
      onPhase("restore \(name)")
      let file = LogicalFileReader(
        key, size: manifest.object.size, in: store, cancellation: cancellation)
      return try LogicalRestorer(target, options, cancellation: cancellation).restore(file)
    }
  }

  private static func choose(
    _ wanted: String?, _ source: ConnectionTarget, _ cancellation: Cancellation
  ) throws -> String {
    let connection = try Connection(
      source, ConnectionOptions(applicationName: "pgkeep recovery"), cancellation: cancellation)
    defer { connection.close() }
    let rows = try connection.query(
      """
      SELECT datname FROM pg_catalog.pg_database WHERE datallowconn AND NOT datistemplate
      ORDER BY datname
      """)
    let names = (0..<rows.rowCount).map { rows.string($0, 0) }
    if let wanted {
      guard names.contains(wanted) else {
        throw RecoveryError(
          .whichDatabase,
          "the cluster had no database \(wanted) then; it had \(names.joined(separator: ", "))")
      }
      return wanted
    }
    let others = names.filter { $0 != "postgres" }
    guard let only = others.first ?? names.first, others.count <= 1 else {
      throw RecoveryError(
        .whichDatabase,
        "the cluster has the databases \(names.joined(separator: ", ")); say with --database which "
          + "one is meant")
    }
    return only
  }
}
