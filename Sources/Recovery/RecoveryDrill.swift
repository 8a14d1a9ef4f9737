public import ByteStream
import FoundationEssentials
import Glibc
import ObjectStore
public import PhysicalBackup
import Postgres
import Repository

/// Proves without a person that a cluster can be recovered: recovers it next door, looks at every
/// database, and removes it.
public struct RecoveryDrill: Sendable {
  private let options: ClusterCopy.Options
  private let tool: String
  private let cancellation: Cancellation

  /// - Parameters:
  ///   - options: where the copy goes, and who runs it.
  ///   - tool: the tool's version, for the report.
  public init(_ options: ClusterCopy.Options, tool: String, cancellation: Cancellation) {
    self.options = options
    self.tool = tool
    self.cancellation = cancellation
  }

  /// Recovers, checks, removes. Blocks.
  ///
  /// - Returns: a report also when recovery failed; what failed is in its findings.
  /// - Throws: when it was stopped.
  public func run(
    _ catalog: PhysicalCatalog, _ plan: RecoveryPlan, onPhase: (String) -> Void = { _ in },
    onBytes: @escaping @Sendable (Int) -> Void = { _ in }
  ) throws -> DrillReport {
    var report = DrillReport(
      base: plan.base.id, systemIdentifier: catalog.layout.systemIdentifier, started: .now(),
      tool: tool, target: "\(plan.target)", bytes: plan.base.plainSize,
      segments: plan.segments.count)
    let start = ContinuousClock.now
    var begun: (name: String, at: ContinuousClock.Instant)?
    func end() {
      guard let last = begun else { return }
      report.phases.append(
        DrillReport.Phase(name: last.name, seconds: (ContinuousClock.now - last.at) / .seconds(1)))
      begun = nil
    }
    func phase(_ name: String) {
      end()
      begun = (name, .now)
      onPhase(name)
    }
    do {
      try ClusterCopy(options, cancellation: cancellation).with(
        catalog, plan, onPhase: phase, onBytes: onBytes
      ) { target in
        end()
        report.recoverySeconds = (ContinuousClock.now - start) / .seconds(1)
        phase("count rows")
        try count(target, &report)
        phase("check pages")
        try checkPages(target, &report)
        end()
      }
    } catch {
      end()
      if let reason = cancellation.reason {
        throw RecoveryError(.temporaryServer, "the drill was stopped: \(reason)", cause: error)
      }
      report.findings.append("\(error)")
    }
    report.totalSeconds = (ContinuousClock.now - start) / .seconds(1)
    return report
  }

  /// Connects to every database and reads every table.
  private func count(_ target: ConnectionTarget, _ report: inout DrillReport) throws {
    let names = try query(target, "template1") { connection in
      let rows = try connection.query(
        """
        SELECT datname FROM pg_catalog.pg_database WHERE datallowconn ORDER BY datname
        """)
      return (0..<rows.rowCount).map { rows.string($0, 0) }
    }
    for name in names {
      do {
        report.databases.append(try query(target, name) { try Self.count($0, name) })
      } catch let error as PostgresError where error.code != .cancelled {
        report.findings.append("database \(name) cannot be read: \(error)")
      }
    }
  }

  private static func count(_ connection: Connection, _ name: String) throws -> DrillReport.Database
  {
    let tables = try connection.query(
      """
      SELECT pg_catalog.format('%I.%I', n.nspname, c.relname)
      FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind IN ('r', 'm') AND c.relpersistence = 'p' AND c.relispopulated
        AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
      ORDER BY 1
      """)
    var database = DrillReport.Database(name: name, tables: tables.rowCount, rows: 0)
    for row in 0..<tables.rowCount {
      guard let table = tables[row, 0] else { continue }
      let count = try connection.query("SELECT pg_catalog.count(*) FROM ONLY \(table)")
      database.rows += count.int(0, 0) ?? 0
    }
    return database
  }

  private func query<Result>(
    _ target: ConnectionTarget, _ database: String, _ body: (Connection) throws -> Result
  ) throws -> Result {
    let connection = try Connection(
      target.with(database: database), ConnectionOptions(applicationName: "pgkeep drill"),
      cancellation: cancellation)
    defer { connection.close() }
    return try body(connection)
  }

  private func checkPages(_ target: ConnectionTarget, _ report: inout DrillReport) throws {
    let directory = options.directory
    var server = RecoveryServer(
      binaries: options.binaries, dataDirectory: directory + "/data",
      logFile: directory + "/server.log")
    server.owner = options.owner
    let role = target.user ?? "postgres"
    switch try server.checkPages(socket: directory, port: 5432, role: role, jobs: options.jobs) {
    case .sound: report.pagesChecked = true
    case .damaged(let lines):
      report.pagesChecked = true
      report.findings.append(
        "pg_amcheck has found damage: " + lines.prefix(20).joined(separator: "; "))
    case .unavailable(let why): report.remarks.append("pages were not checked: \(why)")
    }
  }

  /// Stops and removes what an earlier drill has left that was killed.
  ///
  /// - Parameter directory: that of the copy.
  public static func removeLeftovers(_ directory: String, binaries: String, owner: String?) throws {
    guard access(directory, F_OK) == 0 else { return }
    let data = directory + "/data"
    let lines = (try? String(contentsOfFile: data + "/postmaster.pid", encoding: .utf8))?
      .split(separator: "\n")
    // A number may belong to somebody else by now; a server works in its own data directory.
    if let pid = lines?.first.flatMap({ Int32($0) }), worksIn(pid, data) {
      var server = RecoveryServer(
        binaries: binaries, dataDirectory: data, logFile: directory + "/server.log")
      server.owner = owner
      try server.kill()
    }
    try FileManager.default.removeItem(atPath: directory)
  }

  private static func worksIn(_ pid: Int32, _ directory: String) -> Bool {
    var buffer = [CChar](repeating: 0, count: 4096)
    let count = readlink("/proc/\(pid)/cwd", &buffer, buffer.count)
    guard count > 0 else { return false }
    let place = String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return place == directory || realPath(directory) == place
  }

  private static func realPath(_ path: String) -> String? {
    guard let real = realpath(path, nil) else { return nil }
    defer { free(real) }
    return String(cString: real)
  }
}
