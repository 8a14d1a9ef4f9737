import ArgumentParser
import PhysicalBackup

/// `restore --at`, and what the temporary cluster needs that it goes through.
struct MomentOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "To that moment, with its zone, instead of a backup's own: '2026-11-22 14:30Z'.",
      valueName: "time"))
  var at: String?
  @Option(
    help: ArgumentHelp("To just before that migration.", valueName: "version"))
  var beforeMigration: String?
  @Flag(
    help: """
      With --at or --before-migration: where base backups and WAL do not reach the moment, take the \
      newest logical backup from before it.
      """)
  var nearest = false
  @Option(
    help: ArgumentHelp(
      "With --at: where the cluster is recovered meanwhile; all of it has to fit (/var/tmp).",
      valueName: "directory"))
  var workDirectory = "/var/tmp"
  @Option(
    help: ArgumentHelp("With --at: the folder with pg_ctl.", valueName: "directory"))
  var binDirectory: String?
  @Option(
    help: ArgumentHelp(
      "With --at, as root: who runs the temporary server (postgres).", valueName: "user"))
  var serverOwner: String?
  @Option(
    help: ArgumentHelp(
      "With --at: a role of the cluster that may read everything (postgres).", valueName: "name"))
  var superuser: String?
  @Option(
    help: ArgumentHelp(
      "With --at: which cluster, when the store holds several.", valueName: "identifier"))
  var system: String?
  @Option(help: ArgumentHelp("With --at: the timeline (the newest).", valueName: "number"))
  var timeline: UInt32?

  func validate() throws {
    guard at == nil || beforeMigration == nil else {
      throw ValidationError("Say one of --at and --before-migration.")
    }
  }

  /// Nil when a backup is to be restored as it is.
  func target() throws -> RecoveryTarget? {
    if let at { return .time(try RecoveryTime.parse(at)) }
    return beforeMigration.map { .beforeMigration($0) }
  }
}
