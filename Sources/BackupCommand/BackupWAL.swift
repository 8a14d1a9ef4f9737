import ArgumentParser
import Logging
import PhysicalBackup
import Postgres
import ToolSupport

struct BackupWAL: BackupToolCommand {
  static let configuration = CommandConfiguration(
    commandName: "wal", abstract: "Stream WAL into the store until told to stop.",
    discussion: """
        backup wal
        backup wal --tail-interval 2 --slot pgkeep_paris

      Start it before the first "backup base", and keep it running: it makes a replication slot, \
      which holds back on the server what is not yet durable in the store. It goes on where the \
      store ends, whatever was killed, and follows a failover to the new timeline. A slot that \
      nobody reads fills the server's disk: when the receiver goes for good, drop it with \
      SELECT pg_drop_replication_slot('pgkeep').
      """)

  static var alerts: Alerts { .failures }

  @Option(help: ArgumentHelp("The physical replication slot.", valueName: "name"))
  var slot = "pgkeep"
  @Option(
    help: ArgumentHelp(
      "How often what is not a whole segment is stored: the most that is lost with the host.",
      valueName: "seconds"))
  var tailInterval = 10
  @Flag(
    help: """
      Go on although WAL is missing between the archive and the server. Take a base backup then.
      """)
  var acceptGap = false
  @Option(
    help: ArgumentHelp(
      "Encrypt to this age public key; may be repeated (BACKUP_AGE_RECIPIENTS, separated by "
        + "commas).", valueName: "age1…"))
  var recipient: [String] = []
  @OptionGroup var database: DatabaseOptions
  @OptionGroup var store: StoreOptions
  @OptionGroup var output: OutputOptions

  func validate() throws {
    guard (1...3600).contains(tailInterval) else {
      throw ValidationError("--tail-interval takes 1 to 3600 seconds.")
    }
  }

  func run(_ run: Run) throws {
    var options = WALReceiver.Options()
    options.slot = slot
    options.tailInterval = .seconds(tailInterval)
    options.acceptsGap = acceptGap
    options.recipients = try run.configuration.ageRecipients(flags: recipient)
    let receiver = WALReceiver(
      try run.configuration.database(flag: database.databaseUrl), to: try run.openStore(store),
      environment: run.environmentName, options: options)
    let notifier = ServiceNotifier(run.configuration.environment)
    let logger = run.logger
    try receiver.run(cancellation: run.cancellation) { event in
      switch event {
      case .streaming:
        logger.info("\(event)")
        notifier.ready("\(event)")
      case .confirmed:
        logger.debug("\(event)")
        notifier.alive("\(event)")
      case .alive: notifier.alive("streaming")
      case .timeline: logger.notice("\(event)")
      case .warning: logger.warning("\(event)")
      case .retrying:
        logger.warning("\(event)")
        // It lives, and says what it waits for.
        notifier.alive("\(event)")
      }
    }
    notifier.stopping()
  }
}
