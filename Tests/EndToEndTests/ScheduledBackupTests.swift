import Foundation
import TestSupport
import Testing

/// The jobs of `cron/crontab` and of the systemd service, run as cron and systemd run them.
@Suite struct ScheduledBackupTests {
  @Test func cronBacksUpBothDatabases() throws {
    let cluster = try TemporaryCluster.shared(15)
    let store = try TestDirectory()
    let installation = try CronInstallation()
    let databases = try ["service", "keycloak"].map { name in
      let database = try cluster.createDatabase(named: name)
      try database.psql("CREATE TABLE t AS SELECT generate_series(1, 100) AS x")
      try installation.writeEnvironment(
        name,
        [
          "DATABASE_URL": database.url, "BACKUP_STORE": "file://" + store.path,
          "ENVIRONMENT": "production", "LOG_FORMAT": "json",
        ])
      return database.name
    }

    let crontab = Crontab(try installation.text("crontab"))
    for job in crontab.jobs {
      // Nothing in the environment but what the crontab sets.
      let path = try #require(crontab.settings["PATH"])
      let shell = try #require(crontab.settings["SHELL"])
      let result = try Command.run("env", ["-i", "PATH=\(path)", shell, "-c", job.command])
      #expect(result.exitCode == 0, "\(result.errorText)")
      // Cron mails whatever is printed: a good night is a quiet one.
      #expect(result.text + result.errorText == "")
    }
    for name in databases {
      let manifests = try CronInstallation.manifests(
        in: store, environment: "production", database: name)
      #expect(manifests.count == 1)
    }
  }

  @Test func systemdBacksUpAndPrunes() throws {
    let database = try TemporaryCluster.shared(15).createDatabase(named: "unit")
    try database.psql("CREATE TABLE t AS SELECT generate_series(1, 100) AS x")
    let store = try TestDirectory()
    let installation = try CronInstallation()
    try installation.writeEnvironment(
      "service",
      [
        "DATABASE_URL": database.url, "BACKUP_STORE": "file://" + store.path,
        "ENVIRONMENT": "production",
      ])
    let unit = try installation.text("pgkeep-backup@.service")
      .replacingOccurrences(of: "%i", with: "service")
    let file = try #require(SystemdUnit.values("EnvironmentFile", in: unit).first)
    let settings = try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n")
      .map { $0.replacingOccurrences(of: "'", with: "") }

    let commands = SystemdUnit.values("ExecStart", in: unit)
    #expect(commands.count == 2)
    for command in commands {
      // No shell, and nothing in the environment but the file's lines.
      let words = command.split(separator: " ").map(String.init)
      let result = try Command.run("env", ["-i"] + settings + words)
      #expect(result.exitCode == 0, "\(result.errorText)")
    }
    let manifests = try CronInstallation.manifests(
      in: store, environment: "production", database: database.name)
    #expect(manifests.count == 1)
  }
}
