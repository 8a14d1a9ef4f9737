import ArgumentParser
import PhysicalBackup
import ToolSupport

struct PushWAL: BackupToolCommand {
  static let configuration = CommandConfiguration(
    commandName: "wal-push", abstract: "Store one WAL file that PostgreSQL hands over.",
    discussion: """
        archive_command = '/opt/pgkeep/bin/backup wal-push --quiet "%p"'

      For servers that are not to allow replication connections; "backup wal" loses less, since it \
      does not wait until a segment is whole. The file is durable in the store when this ends with \
      0. The server's user needs BACKUP_STORE and its keys in its environment.
      """)

  static var alerts: Alerts { .failures }

  @Argument(help: ArgumentHelp("The file, as PostgreSQL gives it (%p).", valueName: "path"))
  var path: String
  @Option(
    help: ArgumentHelp(
      "Encrypt to this age public key; may be repeated (BACKUP_AGE_RECIPIENTS, separated by "
        + "commas).", valueName: "age1…"))
  var recipient: [String] = []
  @OptionGroup var store: StoreOptions
  @OptionGroup var json: JSONOption
  @OptionGroup var output: OutputOptions

  var isJSON: Bool { json.json }

  func run(_ run: Run) throws {
    let outcome = try WALPush(
      try run.openStore(store), environment: run.environmentName,
      recipients: run.configuration.ageRecipients(flags: recipient)
    ).push(path, cancellation: run.cancellation)
    run.conclude(
      json: ["file": .string(path), "outcome": .string(outcome.rawValue)],
      text: "\(path): \(outcome.rawValue)\n")
  }
}
