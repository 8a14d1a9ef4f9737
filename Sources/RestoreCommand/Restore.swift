import ArgumentParser
import LogicalBackup
import PhysicalBackup
import Postgres
import ToolSupport

@main
struct Restore: ToolCommand {
  static let service = "restore"
  static let alerts = Alerts.failures
  static let configuration = CommandConfiguration(
    commandName: "restore",
    abstract: "Restore a backup into a database.",
    usage: """
      restore [latest | ID | FILE | -] --to URL [--table T …] [--jobs N] [--verify] \
      [--replace | --into-empty]
      restore --at TIME | --before-migration VERSION … --to URL
      """,
    discussion: """
      Which backups there are:
        backup list

      The newest one into a new database, with every row counted and hashed again:
        restore latest --to postgresql://USER@HOST:5432/NEW_NAME --verify

      In place of a database that exists; it stays, as NAME_before_TIME:
        restore latest --to postgresql://USER@HOST:5432/NAME --replace

      Into an empty database, for a role that may not create one:
        restore latest --to postgresql://USER@HOST:5432/NAME --into-empty

      One of several databases in the store; one backup by its ID, or its beginning:
        restore latest --database shop --to ...
        restore 20261122T020000Z --to ...

      A file, also a plain pg_dump's, gzipped or not:
        restore ./dump.sql.gz --to ...

      One table, into a database of its own; or rows alone, into tables that are there and empty:
        restore latest --table orders --to postgresql://USER@HOST:5432/NEW_NAME
        restore latest --table orders --data-only --to postgresql://USER@HOST:5432/NAME

      A database or a table as it was at any moment, where base backups and WAL are kept, or, with \
      --nearest, in the newest backup from before it; and as it was before a migration:
        restore --at '2026-11-22 14:30:00Z' --database shop --to ...
        restore --before-migration 20261122093000 --database shop --to ...

      The whole cluster to any moment, where base backups and WAL are kept:
        restore cluster --at '2026-11-22 14:30:00Z' --data-directory DIR --start

      Whether that would work, and how long it takes:
        restore drill

      Where the store is comes from BACKUP_STORE and its keys; RESTORE_URL is the same as --to, and \
      keeps the password out of the process list. Until all is restored, nothing is to be seen \
      under the database's name: the same command can be run again. Without this tool: \
      gunzip -c FILE | psql -v ON_ERROR_STOP=1 URL
      """,
    version: ToolVersion.current,
    subcommands: [
      RestoreCluster.self, RestoreDrill.self, RestoreGlobals.self, WALFetchCommand.self,
      WALPrefetchCommand.self,
    ])

  /// A backup's name and a subcommand stand in the same place, and the parser takes the first word
  /// for a name; so the subcommands are told apart before it.
  static func main() {
    let isSubcommand = configuration.subcommands.contains {
      $0.configuration.commandName == CommandLine.arguments.dropFirst().first
    }
    if isSubcommand { ToolMain.main(RestoreSubcommands.self) }
    ToolMain.main(Self.self)
  }

  /// What to do about a database that exists already.
  enum Mode: String, EnumerableFlag {
    case replace
    case intoEmpty

    static func help(for value: Mode) -> ArgumentHelp? {
      switch value {
      case .replace: "Take the place of the database; the old one stays as NAME_before_TIME."
      case .intoEmpty: "The database exists and is empty."
      }
    }
  }

  @Argument(
    help: ArgumentHelp(
      "\"latest\", a backup's ID or its beginning, a file's path (with a / or a dot), or - for "
        + "standard input.", valueName: "backup"))
  var source = "latest"
  @Option(
    help: ArgumentHelp(
      "The database to restore into (RESTORE_URL, which keeps the password out of the process "
        + "list).", valueName: "url"))
  var to: String?
  @Option(help: ArgumentHelp("Of which database, when the store holds several.", valueName: "name"))
  var database: String?
  @Flag(exclusivity: .exclusive)
  var mode: Mode?
  @Flag(help: "Count and hash the restored rows, and compare with the backup.")
  var verify = false
  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("Connections at work at once (4, or the cores if fewer).", valueName: "n"))
  var jobs: Int?
  @Flag(inversion: .prefixedNo, help: "Collect the planner's statistics at the end.")
  var analyze = true
  @Option(
    help: ArgumentHelp(
      "The new database's locale in place of the backup's: C.UTF-8, or icu:NAME, or "
        + "builtin:NAME.", valueName: "name"))
  var locale: String?
  @Flag(help: "Leave out who owns what: all belongs to the restoring role.")
  var noOwner = false
  @Flag(help: "Leave out grants.")
  var noPrivileges = false
  @Flag(
    help:
      "Try indexes and the like again with a search_path when a function needs one (docs/security.md)."
  )
  var retrySearchPath = false
  @Flag(
    help: "\"latest\" may be a backup of a part of the database, and one may replace a database.")
  var partial = false
  @Flag(help: "Leave out rows, large objects and sequences' values.")
  var schemaOnly = false
  @Flag(help: "Leave out the schema: fill the tables that the database has, in one transaction.")
  var dataOnly = false
  @Option(
    name: .customLong("table"),
    help: ArgumentHelp(
      "Only this table or view, or several by a pattern (* and ?), with or without schema; may be "
        + "given more than once.", valueName: "pattern"))
  var tables: [String] = []
  @Option(
    name: .customLong("schema"),
    help: ArgumentHelp("Only this schema; may be given more than once.", valueName: "pattern"))
  var schemas: [String] = []
  @OptionGroup var opening: OpeningOptions
  @OptionGroup(title: "Options for a moment") var moment: MomentOptions
  @OptionGroup var store: StoreOptions
  @OptionGroup var json: JSONOption
  @OptionGroup var output: OutputOptions

  var isJSON: Bool { json.json }

  func run(_ run: Run) throws {
    let target = try run.restoreTarget(flag: to)
    var options = RestoreOptions()
    options.mode =
      switch mode {
      case nil: .new
      case .replace: .replace
      case .intoEmpty: .intoEmpty
      }
    options.jobs = try run.configuration.jobs(flag: jobs)
    options.verifies = verify
    options.analyzes = analyze
    options.omitsOwners = noOwner
    options.omitsPrivileges = noPrivileges
    options.retriesSearchPath = retrySearchPath
    options.omitsData = schemaOnly
    options.omitsSchema = dataOnly
    options.tables = tables
    options.schemas = schemas
    options.acceptsPartial = partial
    options.locale = try locale.map(Self.locale)
    if let wanted = try moment.target() { return try restore(to: target, at: wanted, options, run) }
    let source = try BackupSource(
      source, database: database, isPartialWelcome: partial, store: store, opening: opening, run)
    run.note("database", .string(target.database ?? ""))
    run.note("source", .string(source.name))
    let report = try run.withProgress(ProgressState(stage: "preparing")) { progress in
      options.onProgress = { now in progress.update { $0.take(now) } }
      let restorer = LogicalRestorer(target, options, cancellation: run.cancellation)
      return try source.restore(by: restorer, run)
    }
    ReportRendering.note(report, run)
    run.conclude(
      json: ReportRendering.json(report, source: source.name, target: "\(target)"),
      text: ReportRendering.text(report, source: source.name, target: "\(target)"))
  }

  private func restore(
    to target: ConnectionTarget, at wanted: RecoveryTarget, _ options: RestoreOptions, _ run: Run
  ) throws {
    guard source == "latest" else {
      throw ErrorReport.usage(
        "A backup's name and --at or --before-migration are two ways to say what to restore.")
    }
    run.note("database", .string(target.database ?? ""))
    let done = try run.withProgress(ProgressState(stage: "looking for a way")) { progress in
      try RestoreToMoment(
        run: run, moment: moment, store: store, opening: opening, database: database
      ).restore(to: target, at: wanted, options, progress)
    }
    run.note("source", .string(done.source))
    ReportRendering.note(done.report, run)
    run.conclude(
      json: ReportRendering.json(done.report, source: done.source, target: "\(target)"),
      text: ReportRendering.text(done.report, source: done.source, target: "\(target)"))
  }
}

extension Restore {
  /// A locale as `--locale` spells it.
  fileprivate static func locale(_ text: String) throws -> DatabaseTraits.Locale {
    let parts = text.split(separator: ":", maxSplits: 1).map(String.init)
    guard parts.count == 2 else {
      return .init(provider: .libc, collate: SQLText(text), ctype: SQLText(text))
    }
    guard let provider = DatabaseTraits.Locale.Provider(rawValue: parts[0]) else {
      throw ErrorReport.usage(
        "--locale \(text): before the colon stands libc, icu or builtin.")
    }
    guard provider != .libc else { return try locale(parts[1]) }
    return .init(provider: provider, collate: "C", ctype: "C", name: SQLText(parts[1]))
  }
}

extension ProgressState {
  fileprivate mutating func take(_ progress: RestoreProgress) {
    stage = progress.phase.rawValue
    bytes = progress.bytes
    totalBytes = progress.totalBytes
    items = progress.steps
    totalItems = progress.totalSteps
    noun = "steps"
  }
}

/// The subcommands alone.
private struct RestoreSubcommands: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "restore", subcommands: Restore.configuration.subcommands)
}
