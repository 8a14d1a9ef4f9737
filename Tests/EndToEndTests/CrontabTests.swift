import Foundation
import TestSupport
import Testing

/// `cron/crontab` and the script that it calls.
@Suite struct CrontabTests {
  @Test func runsNightlyAndOnSundays() throws {
    let installation = try CronInstallation()
    let crontab = Crontab(try installation.text("crontab"))
    #expect(crontab.jobs.map(\.schedule) == ["0 2 * * *", "30 3 * * 0"])
    // A percent sign would be a line's end to cron.
    #expect(crontab.jobs.allSatisfy { $0.user == "pgkeep" && !$0.command.contains("%") })
    for job in crontab.jobs {
      let program = try #require(job.command.split(separator: " ").first)
      #expect(FileManager.default.isExecutableFile(atPath: String(program)))
    }
  }

  @Test func doesNotPruneAfterAFailedBackup() throws {
    let directory = try TestDirectory()
    let stub = try directory.write("#!/bin/sh\necho \"$@\"\nexit 1\n", to: "bin/backup")
    chmod(stub, 0o755)
    let settings = try directory.write("ENVIRONMENT=test\n", to: "test.env")
    let result = try Command.run(
      ProjectRoot.path + "/cron/backup-and-prune", [settings],
      environment: ["PATH": directory.file("bin") + ":/usr/bin:/bin"])
    #expect(result.exitCode == 1)
    #expect(result.text == "run --quiet\n")
  }

  @Test func showsSettingsThatAShellReads() throws {
    let variables = try Command.check(
      "env", ["-i", "sh", "-c", "set -a; . \(ProjectRoot.path)/cron/example.env; env"]
    ).text.split(separator: "\n")
    #expect(variables.contains("BACKUP_STORE=s3://example-backups/postgres"))
    #expect(variables.contains { $0.hasPrefix("DATABASE_URL=postgresql://service:secret@") })
  }
}
