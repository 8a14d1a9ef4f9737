import ArgumentParser
import Gzip
import LogicalBackup
import Logging
import ObjectStore
import Postgres
import Repository
import ToolSupport

struct RunBackup: BackupToolCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Back up a database into the store.",
    discussion: """
      Takes a consistent snapshot with several connections, while the database goes on working. \
      The backup is one file that gunzip and psql can restore without this tool. It counts as a \
      backup only when all of it is stored durably.

        backup run
        backup run --store s3://backups/nightly --environment production
        backup run --recipient age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p

      A part of the database, in pg_dump's words. Such a backup is marked as partial: "latest" never \
      means it, and it is no reason for prune to delete a whole one:

        backup run --schema sales --exclude-table 'sales.tmp_*'
        backup run --exclude-table-data 'audit.*'
        backup run --schema-only --no-owner --no-privileges

      Roles, memberships and tablespaces belong to no database, and make a backup of their own beside \
      the database's; "restore globals" makes them again:

        backup run --globals
      """)

  static var alerts: Alerts { .heartbeat }

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp(
      "Connections that read at once (the smallest of 4, twice the cores, and half of the "
        + "server's free connections).", valueName: "n"))
  var jobs: Int?
  @Option(
    help: ArgumentHelp(
      "How hard to compress: fast, about as small as gzip -6, or small, a twentieth smaller than "
        + "fast for eight times its processor time.", valueName: "fast|small"))
  var compression = Compression.fast
  @Option(
    name: [.customLong("lock-timeout"), .customLong("lock-wait")],
    help: ArgumentHelp("The longest wait for tables' locks (60).", valueName: "seconds"))
  var lockTimeout: Int?
  @Option(
    help: ArgumentHelp(
      "Read as this role (SET ROLE), when the one that logs in may not read everything.",
      valueName: "role"))
  var role: String?
  @Flag(help: "Go on although the backups of that name in the store are of another server.")
  var adopt = false
  @Flag(help: "Go on although the server is of a newer major version than this pgkeep knows.")
  var untestedServer = false
  @Option(
    help: ArgumentHelp(
      "Encrypt to this age public key; may be repeated (BACKUP_AGE_RECIPIENTS, separated by "
        + "commas).", valueName: "age1…"))
  var recipient: [String] = []
  @Option(
    help: ArgumentHelp(
      "Encrypt with the passphrase in this file's first line, instead of a key "
        + "(BACKUP_PASSPHRASE_FILE, BACKUP_PASSPHRASE).", valueName: "file"))
  var passphraseFile: String?
  @Flag(help: "Before that, back up the server's roles and tablespaces.")
  var globals = false
  @OptionGroup(title: "What to back up") var selection: SelectionOptions
  @OptionGroup var database: DatabaseOptions
  @OptionGroup var store: StoreOptions
  @OptionGroup var json: JSONOption
  @OptionGroup var output: OutputOptions

  var isJSON: Bool { json.json }

  func run(_ run: Run) throws {
    let target = try run.database(database)
    if let name = target.database { run.note("database", .string(name)) }
    var options = BackupTaker.Options(tool: ToolVersion.current)
    options.jobs = try run.configuration.integer(jobs, "--jobs", nil, in: 1...64)
    options.compression = compression == .small ? .small : .fast
    options.adopts = adopt
    options.takesUntestedServers = untestedServer
    options.recipients = try run.configuration.ageRecipients(
      flags: recipient, passphraseFile: passphraseFile)
    options.selection = selection.selection
    options.role = role
    if let wait = try run.configuration.integer(
      lockTimeout, "--lock-timeout", nil, in: 1...86_400)
    {
      options.lockWait = .seconds(wait)
    }
    options.onWaiting = { [logger = run.logger] session in
      logger.notice("\(session)", metadata: ["process_id": "\(session.processID)"])
    }
    let repository = try run.openRepository(store)
    var first: GlobalsManifest?
    if globals {
      first = try GlobalsTaker(
        target, into: repository, recipients: options.recipients, role: role,
        tool: ToolVersion.current, cancellation: run.cancellation
      ).take()
    }
    let manifest = try run.withProgress(ProgressState(stage: "connecting")) { progress in
      try BackupTaker(target, into: repository, options, cancellation: run.cancellation) { now in
        progress.update { $0.take(now) }
      }.take()
    }
    let summary = BackupSummary(manifest, globals: first)
    summary.note(run)
    run.conclude(
      json: summary.json, text: summary.text(place: repository.store.description))
  }
}

enum Compression: String, ExpressibleByArgument, CaseIterable {
  case fast, small
}

extension ProgressState {
  fileprivate mutating func take(_ progress: ExportProgress) {
    stage =
      switch progress.phase {
      case .locking: "locking tables"
      case .schema: "reading the schema"
      case .rows: "reading rows"
      case .finishing: "finishing"
      }
    bytes = progress.readBytes
    totalBytes = progress.expectedBytes > 0 ? progress.expectedBytes : nil
    items = progress.tablesDone
    totalItems = progress.tables > 0 ? progress.tables : nil
  }
}
