import ArgumentParser
import Logging
import PhysicalBackup
import Postgres
import ToolSupport

struct BackupBase: BackupToolCommand {
  static let configuration = CommandConfiguration(
    commandName: "base", abstract: "Take a base backup of the whole cluster.",
    discussion: """
        backup base
        backup base --max-rate 50000 --checkpoint spread
        backup base --incremental

      Needs a role with REPLICATION and a line for replication in pg_hba.conf. Streams through \
      compression into the store; nothing is written to this machine's disk. Together with \
      "backup wal" it makes every moment restorable: see restore cluster --help.
      """)

  static var alerts: Alerts { .heartbeat }

  @Flag(
    help: """
      Only what changed since the newest base backup (PostgreSQL 17 and later, summarize_wal on).
      """)
  var incremental = false
  @Option(help: ArgumentHelp("A word for the backup.", valueName: "text"))
  var label = "pgkeep"
  @Option(help: "How the server begins it: fast, or spread to spare its disks.")
  var checkpoint: CheckpointKind = .fast
  @Option(
    help: ArgumentHelp("Kilobytes a second at most, 32 to 1048576.", valueName: "kB"))
  var maxRate: Int?
  @Flag(
    inversion: .prefixedNo,
    help: "Hold the WAL that makes the backup consistent, so that it can be restored alone.")
  var wal = true
  @Flag(inversion: .prefixedNo, help: "Let the server check its pages' checksums.")
  var verifyChecksums = true
  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("Threads that compress (4, or the cores if fewer).", valueName: "n"))
  var jobs: Int?
  @Option(
    help: ArgumentHelp(
      "Encrypt to this age public key; may be repeated (BACKUP_AGE_RECIPIENTS, separated by "
        + "commas).", valueName: "age1…"))
  var recipient: [String] = []
  @OptionGroup var database: DatabaseOptions
  @OptionGroup var store: StoreOptions
  @OptionGroup var json: JSONOption
  @OptionGroup var output: OutputOptions

  var isJSON: Bool { json.json }

  func validate() throws {
    if let maxRate, !(32...1_048_576).contains(maxRate) {
      throw ValidationError("--max-rate takes 32 to 1048576 kilobytes a second.")
    }
  }

  func run(_ run: Run) throws {
    var options = BaseBackup.Options()
    options.label = label
    options.checkpoint = checkpoint == .fast ? .fast : .spread
    options.includesWAL = wal
    options.maxRate = maxRate
    options.verifiesChecksums = verifyChecksums
    options.jobs = try run.configuration.jobs(flag: jobs)
    options.recipients = try run.configuration.ageRecipients(flags: recipient)
    options.isIncremental = incremental
    if incremental { options.identities = try run.configuration.ageKeys(flag: nil) }
    options.tool = "pgkeep \(ToolVersion.current)"
    let backup = BaseBackup(
      try run.configuration.database(flag: database.databaseUrl), to: try run.openStore(store),
      environment: run.environmentName, options: options)
    let started = ContinuousClock.now
    let manifest = try run.withProgress(ProgressState(stage: "base backup")) { progress in
      try backup.run(cancellation: run.cancellation) { warning in
        run.logger.warning("\(warning)")
      } onProgress: { now in
        progress.update { state in
          state.bytes = now.received
          state.totalBytes = now.expected
        }
      }
    }
    let taken = ContinuousClock.now - started
    run.note("backup", .string("\(manifest.id)"))
    run.note("bytes", .integer(manifest.size))
    run.conclude(
      json: PhysicalRendering.json(manifest),
      text: "base backup \(manifest.id) of cluster \(manifest.server.systemIdentifier): "
        + (manifest.parent.map { "the changes since \($0), " } ?? "")
        + "\(Humane.size(manifest.plainSize)) in \(Humane.size(manifest.size)), "
        + "from \(manifest.start) to \(manifest.end), took \(Humane.duration(taken))\n")
  }
}

enum CheckpointKind: String, ExpressibleByArgument {
  case fast
  case spread
}
