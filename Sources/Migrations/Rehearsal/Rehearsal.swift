import ByteStream
public import Postgres
import Schema

/// Tries pending migrations on a scratch copy of a database's schema: each up, down and up again.
///
/// It proves that the down restores what was before and that the second up equals the first, and
/// measures what each statement locks, rewrites and reads. The target itself is only read.
public struct Rehearsal: Sendable {
  /// What the scratch database is to begin with.
  public enum Origin: Sendable {
    /// The target's schema; what is pending there is tried.
    case database
    /// Nothing; every migration is tried.
    case migrations
    /// A file that `migrate schema` wrote; what is newer than it is tried.
    case schemaFile(path: String)
    /// A backup; what was pending in it is tried.
    case contents(any ScratchContents)
  }

  /// What came of it.
  public struct Report: Sendable {
    /// Titles of what was tried, in order.
    public var steps: [String]
    public var findings: [RehearsalFinding]
    /// Whether every down restores and every second up equals the first.
    public var isProven: Bool { !findings.contains(where: \.isError) }
  }

  private let migrator: Migrator.Blocking
  private let scratch: ConnectionTarget?
  private let sizes: [TableSize]?

  /// - Parameters:
  ///   - migrator: its target is read only. Where `scratch` is given and the origin is not the
  ///     database, it may be the same.
  ///   - scratch: an empty database to work in; nil makes one beside the target.
  ///   - sizes: how large the tables are in production; nil asks the target, or the backup that
  ///     the scratch database is made from.
  public init(
    _ migrator: Migrator.Blocking, scratch: ConnectionTarget? = nil, sizes: [TableSize]? = nil
  ) {
    self.migrator = migrator
    self.scratch = scratch
    self.sizes = sizes
  }

  /// Blocks until all is tried. The scratch database is gone afterwards.
  ///
  /// - Throws: ``MigrationsError``: also when an up itself fails.
  public func run(_ files: MigrationFiles, from origin: Origin = .database) throws -> Report {
    let cancellation = migrator.cancellation
    let sizes = try relationSizes(origin)
    var planned: [PlannedStep]?
    var catalog: SchemaCatalog?
    if case .database = origin {
      planned = try plan(files, migrator.target)
      catalog = try DatabaseSchema.catalog(migrator.target, cancellation: cancellation)
    }
    let database = try scratchDatabase(catalog)
    let result = Result {
      let steps: [PlannedStep]
      switch origin {
      case .database:
        if let catalog { try database.fill(catalog, cancellation: cancellation) }
        steps = planned ?? []
      case .migrations: steps = try plan(files, database.target)
      case .schemaFile(let path):
        let file = try SchemaFile(path: path)
        try file.fill(database.target, cancellation: cancellation)
        if let version = file.newest {
          try at(database.target).baseline(files, at: version)
        }
        steps = try plan(files, database.target)
      case .contents(let contents):
        try contents.fill(database.target, cancellation: cancellation)
        try HistorySchema.alignSequences(connect(database.target))
        steps = try plan(files, database.target)
      }
      return try rehearse(steps, database.target, sizes)
    }
    try database.remove()
    return try result.get()
  }

  private func rehearse(
    _ steps: [PlannedStep], _ target: ConnectionTarget, _ sizes: RelationSizes
  ) throws -> Report {
    var report = Report(steps: [], findings: [])
    let session = try MigrationSession(
      target, at(target).options, cancellation: migrator.cancellation, migrator.emit)
    for step in steps { try rehearse(step, session, target, sizes, &report) }
    return report
  }

  /// The same operations in the scratch database, where files may be out of order.
  private func at(_ target: ConnectionTarget) -> Migrator.Blocking {
    var options = migrator.options
    options.outOfOrder = .allow
    options.recordsSchema = false
    return Migrator.Blocking(
      target: target, options: options, cancellation: migrator.cancellation, emit: { _ in })
  }

  private func plan(_ files: MigrationFiles, _ target: ConnectionTarget) throws -> [PlannedStep] {
    let steps = try at(target).planUp(files).steps
    if let step = steps.first(where: { $0.resumes != nil }) {
      throw MigrationsError(
        .unfinished, "\(step.title) stopped half way; finish it with migrate up first.")
    }
    return steps
  }

  private func relationSizes(_ origin: Origin) throws -> RelationSizes {
    if let sizes { return RelationSizes(sizes) }
    if case .contents(let contents) = origin { return RelationSizes(contents.sizes) }
    return try RelationSizes(connect(migrator.target))
  }

  private func scratchDatabase(_ catalog: SchemaCatalog?) throws -> ScratchDatabase {
    let cancellation = migrator.cancellation
    if let scratch { return try ScratchDatabase(given: scratch, cancellation: cancellation) }
    let catalog =
      try catalog ?? DatabaseSchema.catalog(migrator.target, cancellation: cancellation)
    return try ScratchDatabase(
      beside: migrator.target, like: catalog.database, cancellation: cancellation)
  }

  private func rehearse(
    _ step: PlannedStep, _ session: MigrationSession, _ target: ConnectionTarget,
    _ sizes: RelationSizes, _ report: inout Report
  ) throws {
    var findings: [RehearsalFinding] = []
    let before = try state(target)
    let observer = try ImpactObserver(connect(target))
    session.observer = observer
    try take(step, session)
    session.observer = nil
    findings += ImpactFindings(script: step.script, sizes: sizes).findings(observer.impacts)
    let after = try state(target)
    if step.version == nil || step.down != nil {
      findings += try proof(step, session, target, before, after)
    }
    report.steps.append(step.title)
    report.findings += findings.map { finding in
      var finding = finding
      finding.silencedBecause = Self.allowance(finding, step)
      return finding
    }
  }

  /// Down and up again; a repeatable file only again.
  private func proof(
    _ step: PlannedStep, _ session: MigrationSession, _ target: ConnectionTarget,
    _ before: SchemaState, _ after: SchemaState
  ) throws -> [RehearsalFinding] {
    var findings: [RehearsalFinding] = []
    func add(_ name: RehearsalFinding.Name, _ file: String, _ message: String, _ advice: String) {
      findings.append(
        RehearsalFinding(name: name, file: file, line: nil, message: message, advice: advice))
    }
    if let down = step.down {
      let back = PlannedStep(
        direction: .down, version: step.version, name: step.name, script: down, up: step.up,
        down: down)
      do { try take(back, session) } catch let error as MigrationsError
        where error.code == .statementFailed || error.code == .unfinished
      {
        add(.downFails, down.source, error.description, "mend the down")
        // What follows begins where this one stands.
        return findings
      }
      let difference = SchemaDifference(from: before, to: try state(target))
      for table in difference.moved {
        add(
          .columnMoved, down.source, "down leaves the columns of \(table) in another order",
          "harmless where columns are named; INSERT and COPY without names depend on the order")
      }
      for entry in difference.entries {
        if entry.isEnumLabel {
          add(
            .enumLabelLeft, down.source, "down leaves \(entry.what) behind",
            "PostgreSQL cannot take a label away; make the type anew in the down, or accept it: "
              + "-- pgkeep: allow enum-label-left REASON")
        } else {
          let word = entry.change == .added ? "leaves \(entry.what) behind" : "loses \(entry.what)"
          add(.downDiffers, down.source, "down \(word)", "make the down undo it")
        }
      }
    }
    do { try take(step, session) } catch let error as MigrationsError
      where error.code == .statementFailed || error.code == .unfinished
    {
      add(
        .upFailsAgain, step.script.source, error.description,
        step.version == nil ? "make the file fit to run again" : "make the down undo all of the up")
      return findings
    }
    for entry in SchemaDifference(from: after, to: try state(target)).entries {
      let word = entry.change == .added ? "adds \(entry.what)" : "lacks \(entry.what)"
      add(
        .upDiffers, step.script.source, "the second up \(word)",
        "the first up, or the down, depends on something that it changes")
    }
    return findings
  }

  private func take(_ step: PlannedStep, _ session: MigrationSession) throws {
    let statements = try step.script.statements()
    let runner: any StepRunner =
      step.script.isTransactional ? TransactionRunner(session) : StatementRunner(session)
    _ = try runner.run(step, statements)
  }

  private func state(_ target: ConnectionTarget) throws -> SchemaState {
    try DatabaseSchema.state(target, cancellation: migrator.cancellation)
  }

  private func connect(_ target: ConnectionTarget) throws -> Connection {
    try Connection(
      target, ConnectionOptions(applicationName: "pgkeep migrate rehearse", profile: .data),
      cancellation: migrator.cancellation)
  }

  /// The reason of an `allow` directive for the finding, in the up or the down file.
  private static func allowance(_ finding: RehearsalFinding, _ step: PlannedStep) -> String? {
    for directive in step.script.directives + (step.down?.directives ?? []) {
      if case .allow(let name, let reason) = directive, name == finding.name.rawValue {
        return reason
      }
    }
    return nil
  }
}
