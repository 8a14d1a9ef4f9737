import ArgumentParser
import FoundationEssentials
import Glibc
import Logging
import PhysicalBackup
import Postgres
import ToolSupport

struct RestoreCluster: ToolCommand {
  static let service = "restore"
  static let alerts = Alerts.failures
  static let configuration = CommandConfiguration(
    commandName: "cluster",
    abstract: "Restore a whole cluster to any moment, from a base backup and WAL.",
    discussion: """
      To the last moment that is stored, and start it:
        restore cluster --latest --data-directory /var/lib/postgresql/15/restored --start

      To a moment; a zone has to be named:
        restore cluster --at '2026-11-22 14:30:00Z' --data-directory DIR

      What can be reached:
        restore cluster --list

      Into the stopped cluster's own directory, fetching only what differs:
        restore cluster --latest --delta --data-directory /var/lib/postgresql/15/main

      Without --delta the directory has to be empty or not there. Run it as the user that the \
      server runs as, or as root with --owner.
      """)

  @Option(help: ArgumentHelp("To that moment, with its zone.", valueName: "time"))
  var at: String?
  @Option(help: ArgumentHelp("To all records that begin before that position.", valueName: "lsn"))
  var lsn: String?
  @Option(
    help: ArgumentHelp(
      "To just behind that transaction; the archive is searched for it.", valueName: "number"))
  var xid: UInt32?
  @Option(help: ArgumentHelp("To just behind that restore point.", valueName: "name"))
  var restorePoint: String?
  @Option(help: ArgumentHelp("To just before that migration.", valueName: "version"))
  var beforeMigration: String?
  @Flag(help: "To the end of the stored WAL.")
  var latest = false
  @Flag(help: "Show which moments can be reached, and restore nothing.")
  var list = false
  @Option(
    help: ArgumentHelp("Where the cluster goes: empty, or not there.", valueName: "directory"))
  var dataDirectory: String?
  @Flag(
    help: """
      The directory may hold that cluster, stopped, or an unfinished restore: only files that \
      differ are fetched, and files that the backup lacks are removed.
      """)
  var delta = false
  @Option(
    help: ArgumentHelp(
      "Where a tablespace goes instead of its old place.", valueName: "old=new"))
  var tablespaceMapping: [String] = []
  @Option(help: ArgumentHelp("The timeline (the newest).", valueName: "number"))
  var timeline: UInt32?
  @Option(
    help: ArgumentHelp("Which cluster, when the store holds several.", valueName: "identifier"))
  var system: String?
  @Option(help: "At the target: promote, pause or shutdown.")
  var targetAction: TargetActionOption = .promote
  @Option(
    name: .shortAndLong,
    help: ArgumentHelp(
      "Threads that download and unpack (4, or the cores if fewer).",
      valueName: "n"))
  var jobs: Int?
  @Option(
    help: ArgumentHelp("Whose the files become, when run as root.", valueName: "user"))
  var owner: String?
  @Option(
    help: ArgumentHelp(
      "A file with the age secret key of encrypted backups (BACKUP_AGE_IDENTITY_FILE).",
      valueName: "file"))
  var identity: String?
  @Flag(inversion: .prefixedNo, help: "Read the WAL that recovery needs beforehand.")
  var checkWal = true
  @Flag(help: "Start the server, and wait until it has reached the target.")
  var start = false
  @Option(
    help: ArgumentHelp("With --start: the folder with pg_ctl.", valueName: "directory"))
  var binDirectory: String?
  @Option(
    name: .customLong("set"),
    help: ArgumentHelp(
      "With --start: a server setting, such as port=5433.", valueName: "name=value"))
  var settings: [String] = []
  @Option(
    help: ArgumentHelp(
      "With --start: a role that may log in on the server's socket, to compare collation versions "
        + "(the name of its user).", valueName: "role"))
  var superuser: String?
  @OptionGroup var store: StoreOptions
  @OptionGroup var json: JSONOption
  @OptionGroup var output: OutputOptions

  var isJSON: Bool { json.json }

  func validate() throws {
    let targets = [at, lsn, restorePoint, beforeMigration].compactMap { $0 }.count
    guard targets + (xid == nil ? 0 : 1) + (latest ? 1 : 0) + (list ? 1 : 0) == 1 else {
      throw ValidationError(
        "Say where to: one of --at, --lsn, --xid, --restore-point, --before-migration, --latest; or "
          + "--list to see what there is.")
    }
    guard list || dataDirectory != nil else {
      throw ValidationError("Say where the cluster goes: --data-directory DIRECTORY.")
    }
    for mapping in tablespaceMapping where !mapping.contains("=") {
      throw ValidationError("--tablespace-mapping takes OLD=NEW, not \(mapping).")
    }
  }

  func run(_ run: Run) throws {
    let target = try target()
    let identities = try run.configuration.ageKeys(flag: identity)
    let catalog = try PhysicalCatalog(
      SealedStore(try run.openStore(store), identities: identities),
      environment: run.environmentName, systemIdentifier: system,
      points: list ? .all : .target(target, timeline: timeline), cancellation: run.cancellation)
    for problem in catalog.problems { run.logger.warning("\(problem)") }
    if list {
      run.show(json: ClusterRendering.json(catalog), text: ClusterRendering.text(catalog))
      return
    }
    let plan = try RecoveryPlanner(catalog, timeline: timeline).plan(target)
    let place = try placeDirectory()
    run.say(
      "\(plan.target): from base backup \(plan.base.id), timeline \(plan.timeline), "
        + "\(Humane.plural(plan.segments.count, "WAL segment"))\n")
    let helper = place + ".pgkeep"
    var options = ClusterRestore.Options(
      dataDirectory: place,
      restoreCommand: try FetchCommand.make(
        run, store, catalog, identities: identities, folder: helper, owner: owner))
    options.action = targetAction.action
    options.isDelta = delta
    options.jobs = try run.configuration.jobs(flag: jobs)
    options.owner = owner
    options.checksWAL = checkWal
    for mapping in tablespaceMapping {
      let parts = mapping.split(separator: "=", maxSplits: 1).map(String.init)
      options.tablespaces[parts[0]] = parts.last
    }
    // A server that is started later fetches its WAL then.
    let (report, outcome, taken) = try run.reading(plan.base, of: catalog, isLeft: !start) {
      let report = try run.withProgress(ProgressState(stage: "preparing")) { progress in
        progress.update { $0.totalBytes = plan.base.plainSize }
        return try ClusterRestore(catalog, options: options).run(
          plan, cancellation: run.cancellation,
          onPhase: { name in progress.update { $0.stage = name } },
          onBytes: { count in progress.update { $0.bytes += count } })
      }
      for remark in report.remarks { run.logger.info("\(remark)") }
      run.note("bytes", .integer(report.bytes))
      run.note("base", .string("\(plan.base.id)"))
      let (outcome, taken) = try startServer(run, place, helper, plan)
      return (report, outcome, taken)
    }
    let collations = outcome == nil ? nil : checkCollations(run, place, helper, plan)
    run.conclude(
      json: ClusterRendering.json(report, outcome, taken, collations),
      text: ClusterRendering.text(report, outcome, taken, directory: place)
        + ClusterRendering.text(collations))
  }

  private func target() throws -> RecoveryTarget {
    if let at { return .time(try RecoveryTime.parse(at)) }
    if let lsn {
      guard let position = LSN(lsn) else {
        throw ErrorReport.usage("--lsn \(lsn) is not a position like 16/B374D848.")
      }
      return .position(position)
    }
    if let xid { return .transaction(xid) }
    if let restorePoint { return .restorePoint(restorePoint) }
    if let beforeMigration { return .beforeMigration(beforeMigration) }
    return .latest
  }

  /// The data directory as an absolute path, since the server runs in another folder.
  private func placeDirectory() throws -> String {
    var path = dataDirectory ?? ""
    if !path.hasPrefix("/") {
      guard let folder = getcwd(nil, 0) else {
        throw ErrorReport.usage("--data-directory \(path): the current folder is unknown.")
      }
      defer { free(folder) }
      path = String(cString: folder) + "/" + path
    }
    while path.hasSuffix("/"), path.utf8.count > 1 { path.removeLast() }
    return path
  }

  private func startServer(
    _ run: Run, _ place: String, _ helper: String, _ plan: RecoveryPlan
  ) throws -> (RecoveryServer.Outcome?, Duration) {
    guard start else { return (nil, .zero) }
    let server = try server(place, helper, plan)
    let started = ContinuousClock.now
    let outcome = try run.withProgress(ProgressState(stage: "recovering")) { _ in
      try server.recover(to: targetAction.action, cancellation: run.cancellation)
    }
    FetchCommand.spool(helper).discard()
    return (outcome, ContinuousClock.now - started)
  }

  private func server(_ place: String, _ helper: String, _ plan: RecoveryPlan) throws
    -> RecoveryServer
  {
    let major = plan.base.server.major
    guard let binaries = binDirectory ?? RecoveryServer.binaries(major: major) else {
      throw ErrorReport.configuration(
        "PostgreSQL \(major)'s pg_ctl was not found; say where it is with --bin-directory. The "
          + "cluster is restored in \(place), and recovers when it is started.")
    }
    var server = RecoveryServer(
      binaries: binaries, dataDirectory: place, logFile: helper + "/server.log")
    server.settings = settings
    server.owner = owner
    return server
  }

  /// - Returns: nil when nobody could be asked, which is logged: the cluster is restored all the
  ///   same.
  private func checkCollations(
    _ run: Run, _ place: String, _ helper: String, _ plan: RecoveryPlan
  ) -> [CollationCheck.AffectedIndex]? {
    guard targetAction != .shutdown else { return nil }
    do {
      let found = try CollationCheck(server(place, helper, plan), role: superuser).run()
      if !found.isEmpty {
        run.logger.warning(
          """
          \(found.count == 1 ? "1 index" : "\(found.count) indexes") may be in another order than \
          this machine's collations and give wrong answers until built anew
          """)
      }
      return found
    } catch {
      run.logger.warning("collation versions were not compared: \(error)")
      return nil
    }
  }
}

enum TargetActionOption: String, ExpressibleByArgument, CaseIterable {
  case promote
  case pause
  case shutdown

  var action: ClusterRestore.TargetAction {
    switch self {
    case .promote: .promote
    case .pause: .pause
    case .shutdown: .shutdown
    }
  }
}
