import Age
import Glibc
import LogicalBackup
import Logging
import PhysicalBackup
import Postgres
import Recovery
import Repository
import ToolSupport

/// `restore --at` and `restore --before-migration`: by whichever route gets there.
struct RestoreToMoment {
  let run: Run
  let moment: MomentOptions
  let store: StoreOptions
  let opening: OpeningOptions
  let database: String?

  /// - Returns: what was done, and from what, in words.
  func restore(
    to place: ConnectionTarget, at target: RecoveryTarget, _ options: RestoreOptions,
    _ progress: Progress
  ) throws -> (report: RestoreReport, source: String) {
    let identities = try run.configuration.ageIdentities(opening)
    let repository = try run.openRepository(store)
    let route = try RouteFinder(repository, identities: identities, cancellation: run.cancellation)
      .route(
        to: target, systemIdentifier: moment.system, timeline: moment.timeline, database: database)
    switch route {
    case .logical(let route): return try restore(route, place, target, options)
    case .physical(let catalog, let plan):
      for remark in plan.remarks { run.logger.info("\(remark)") }
      let report = try restore(catalog, plan, place, identities, options, progress)
      return (report, "\(target), from base backup \(plan.base.id) and WAL")
    }
  }

  private func restore(
    _ route: LogicalRoute, _ place: ConnectionTarget, _ target: RecoveryTarget,
    _ options: RestoreOptions
  ) throws -> (report: RestoreReport, source: String) {
    let short = route.shortBy.map {
      ", \(Humane.duration(.seconds(Int($0.rounded())))) before it"
    }
    let what =
      "the backup \(route.entry.id) of \(route.entry.database), which is of \(route.taken)"
      + (short ?? "")
    guard moment.nearest else {
      throw RecoveryError(
        .fallsShort,
        "\(target) itself cannot be reached: \(route.why). The nearest before it is \(what): to "
          + "restore that, add --nearest")
    }
    run.logger.warning("\(target) itself cannot be reached; this restores \(what)")
    let repository = try run.openRepository(store)
    let report = try run.reading(route.entry.names, of: repository) {
      try LogicalRestorer(place, options, cancellation: run.cancellation).restore(route.file)
    }
    return (report, what)
  }

  private func restore(
    _ catalog: PhysicalCatalog, _ plan: RecoveryPlan, _ place: ConnectionTarget,
    _ identities: [AgeIdentity], _ options: RestoreOptions, _ progress: Progress
  ) throws -> RestoreReport {
    let major = plan.base.server.major
    guard let binaries = moment.binDirectory ?? RecoveryServer.binaries(major: major) else {
      throw ErrorReport.configuration(
        "PostgreSQL \(major)'s pg_ctl, which recovers the cluster next door, was not found; say "
          + "where it is with --bin-directory.")
    }
    var template = Array("\(moment.workDirectory)/pgkeep-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else {
      throw ErrorReport.configuration(
        "No folder can be made in \(moment.workDirectory): \(String(cString: strerror(errno))). "
          + "Say where there is room for the whole cluster with --work-directory.")
    }
    let folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    // The server's user passes through; what is inside is each owner's alone.
    chmod(folder, 0o711)
    defer {
      FetchCommand.spool(folder + "/fetch").discard()
      TemporaryFolder.remove(folder)
    }
    let owner = moment.serverOwner ?? (geteuid() == 0 ? "postgres" : nil)
    var copy = ClusterCopy.Options(
      directory: folder + "/cluster",
      restoreCommand: try FetchCommand.make(
        run, store, catalog, identities: identities, folder: folder + "/fetch", owner: owner),
      binaries: binaries)
    copy.owner = owner
    copy.jobs = options.jobs
    copy.roles = moment.superuser.map { [$0] } ?? ["postgres"] + [place.user].compactMap { $0 }
    return try run.reading(plan.base, of: catalog) {
      try DatabaseRecovery(
        ClusterCopy(copy, cancellation: run.cancellation), workDirectory: folder + "/export",
        cancellation: run.cancellation
      ).run(
        catalog, plan, database: database, to: place, options, tool: ToolVersion.current,
        onPhase: { name in progress.update { $0.stage = name } },
        onBytes: { count in progress.update { $0.bytes += count } })
    }
  }
}
