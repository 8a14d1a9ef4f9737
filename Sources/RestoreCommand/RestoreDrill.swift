import ArgumentParser
import Glibc
import Logging
import PhysicalBackup
import Recovery
import ToolSupport

struct RestoreDrill: ToolCommand {
  static let service = "restore"
  static let alerts = Alerts.failures
  static let configuration = CommandConfiguration(
    commandName: "drill",
    abstract: "Prove that the cluster can be recovered, and measure how long it takes.",
    discussion: """
      Monthly, on a machine with PostgreSQL of the same major version:
        restore drill --work-directory /var/tmp

      Takes the newest base backup and all WAL, recovers next door on a socket that nobody else \
      reaches, connects to every database, reads every row, checks tables and indexes with \
      pg_amcheck where that is installed, and removes all of it. The report, with the recovery \
      time, is stored beside the base backup. Ends with an error when something is not as it \
      should be. For logical backups: backup verify --deep.
      """)

  @Option(
    help: ArgumentHelp(
      "Where the cluster is recovered; all of it has to fit.", valueName: "directory"))
  var workDirectory = "/var/tmp"
  @Option(help: ArgumentHelp("The folder with pg_ctl.", valueName: "directory"))
  var binDirectory: String?
  @Option(
    help: ArgumentHelp("As root: who runs the temporary server (postgres).", valueName: "user"))
  var serverOwner: String?
  @Option(
    help: ArgumentHelp("A superuser of the cluster (postgres).", valueName: "name"))
  var superuser: String?
  @Option(
    help: ArgumentHelp("Which cluster, when the store holds several.", valueName: "identifier"))
  var system: String?
  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("Threads at work at once (4, or the cores if fewer).", valueName: "n"))
  var jobs: Int?
  @OptionGroup var opening: OpeningOptions
  @OptionGroup var store: StoreOptions
  @OptionGroup var json: JSONOption
  @OptionGroup var output: OutputOptions

  var isJSON: Bool { json.json }

  func run(_ run: Run) throws {
    let identities = try run.configuration.ageIdentities(opening)
    let plain = try run.openStore(store)
    let catalog = try PhysicalCatalog(
      SealedStore(plain, identities: identities), environment: run.environmentName,
      systemIdentifier: system, points: .target(.latest, timeline: nil),
      cancellation: run.cancellation)
    for problem in catalog.problems { run.logger.warning("\(problem)") }
    let plan = try RecoveryPlanner(catalog).plan(.latest)
    let major = plan.base.server.major
    guard let binaries = binDirectory ?? RecoveryServer.binaries(major: major) else {
      throw ErrorReport.configuration(
        "PostgreSQL \(major)'s pg_ctl was not found; say where it is with --bin-directory.")
    }
    let owner = serverOwner ?? (geteuid() == 0 ? "postgres" : nil)
    let folder = workDirectory + "/pgkeep-drill-" + catalog.layout.systemIdentifier
    let lock = try lock(folder + ".lock")
    defer {
      unlink(folder + ".lock")
      close(lock)
    }
    let directory = folder + "/cluster"
    try RecoveryDrill.removeLeftovers(directory, binaries: binaries, owner: owner)
    FetchCommand.spool(folder + "/fetch").discard()
    TemporaryFolder.remove(folder)
    guard mkdir(folder, 0o711) == 0 else {
      throw ErrorReport.configuration(
        "\(folder) cannot be made: \(String(cString: strerror(errno))). Say where there is room for "
          + "the whole cluster with --work-directory.")
    }
    // The server's user passes through; what is inside is each owner's alone.
    chmod(folder, 0o711)
    defer {
      FetchCommand.spool(folder + "/fetch").discard()
      TemporaryFolder.remove(folder)
    }
    var copy = ClusterCopy.Options(
      directory: directory,
      restoreCommand: try FetchCommand.make(
        run, store, catalog, identities: identities, folder: folder + "/fetch", owner: owner),
      binaries: binaries)
    copy.owner = owner
    copy.jobs = try run.configuration.jobs(flag: jobs)
    copy.roles = [superuser ?? "postgres"]
    let report = try run.withProgress(ProgressState(stage: "preparing")) { progress in
      progress.update { $0.totalBytes = plan.base.plainSize }
      return try run.reading(plan.base, of: catalog) {
        try RecoveryDrill(copy, tool: ToolVersion.current, cancellation: run.cancellation).run(
          catalog, plan, onPhase: { name in progress.update { $0.stage = name } },
          onBytes: { count in progress.update { $0.bytes += count } })
      }
    }
    let key = try report.store(in: plain, environment: run.environmentName)
    run.note("base", .string("\(report.base)"))
    run.conclude(json: Self.json(report, key), text: Self.text(report, key))
    guard report.passed else {
      throw ErrorReport(
        .verificationFailed, code: "drill",
        "The drill has failed: " + report.findings.prefix(5).joined(separator: "; "))
    }
  }

  /// One drill of a cluster at a time; the lock goes with the process.
  private func lock(_ path: String) throws -> Int32 {
    let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard file >= 0 else {
      throw ErrorReport.configuration(
        "\(path) cannot be written: \(String(cString: strerror(errno))).")
    }
    guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
      close(file)
      throw ErrorReport(
        .failed, code: "busy", "Another drill of this cluster is at work in \(workDirectory).")
    }
    return file
  }

  private static func text(_ report: DrillReport, _ key: String) -> String {
    var text =
      "\(report.passed ? "PASSED" : "FAILED"): base backup \(report.base) of cluster "
      + "\(report.systemIdentifier), \(Humane.size(report.bytes)), and "
      + "\(Humane.plural(report.segments, "WAL segment"))\n"
    for phase in report.phases { text += "  \(phase.name): \(duration(phase.seconds))\n" }
    if let seconds = report.recoverySeconds { text += "recovery time: \(duration(seconds))\n" }
    for database in report.databases {
      text +=
        "  database \(database.name): \(Humane.plural(database.tables, "table")), "
        + "\(Humane.plural(database.rows, "row"))\n"
    }
    if report.pagesChecked { text += "every table and index was checked by pg_amcheck\n" }
    for remark in report.remarks { text += "note: \(remark)\n" }
    for finding in report.findings { text += "NOT SOUND: \(finding)\n" }
    return text + "stored as \(key)\n"
  }

  private static func duration(_ seconds: Double) -> String {
    Humane.duration(.milliseconds(Int(seconds * 1000)))
  }

  private static func json(_ report: DrillReport, _ key: String) -> JSONValue {
    [
      "passed": .bool(report.passed),
      "base": .string("\(report.base)"),
      "system_identifier": .string(report.systemIdentifier),
      "started": .string("\(report.started)"),
      "target": .string(report.target),
      "bytes": .integer(report.bytes),
      "segments": .integer(report.segments),
      "phases": .object(report.phases.map { .init($0.name, .number($0.seconds)) }),
      "recovery_seconds": report.recoverySeconds.map { .number($0) } ?? .null,
      "total_seconds": .number(report.totalSeconds),
      "databases": .array(
        report.databases.map {
          [
            "name": .string($0.name), "tables": .integer($0.tables), "rows": .integer($0.rows),
          ]
        }),
      "pages_checked": .bool(report.pagesChecked),
      "remarks": .array(report.remarks.map { .string($0) }),
      "findings": .array(report.findings.map { .string($0) }),
      "key": .string(key),
    ]
  }
}
