import ArgumentParser
import ToolSupport

@main
struct Backup: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "backup",
    abstract: "Take, list and prune backups of PostgreSQL databases.",
    discussion: """
      The nightly job, with DATABASE_URL and BACKUP_STORE in the environment:

        backup run && backup prune

      What is there, and what one backup holds:

        backup list
        backup show latest

      Restoring is the command "restore": see restore --help.
      """,
    version: ToolVersion.current,
    subcommands: [
      RunBackup.self, BackupBase.self, BackupWAL.self, PushWAL.self, ListBackups.self,
      ShowBackup.self,
      VerifyBackup.self,
      PruneBackups.self, MakeKey.self, ExamineHealth.self,
    ])

  static func main() { ToolMain.main(Self.self) }
}

/// What all subcommands have in common.
protocol BackupToolCommand: ToolCommand {}

extension BackupToolCommand {
  static var service: String { "backup" }
}
