import Foundation
import TestSupport
import Testing

/// The systemd units of `cron/`.
@Suite struct SystemdUnitTests {
  private static let timers = [
    "pgkeep-backup-service.timer": "service", "pgkeep-backup-keycloak.timer": "keycloak",
  ]
  private static let service = "pgkeep-backup@.service"

  @Test func areWhatSystemdAccepts() throws {
    let installation = try CronInstallation()
    let names = [Self.service] + Self.timers.keys
    for name in names {
      // The user need not be there for the check.
      let text = try installation.text(name).replacingOccurrences(of: "User=pgkeep\n", with: "")
      try installation.directory.write(text, to: "units/" + name)
    }
    let instances = Self.timers.keys.sorted() + ["pgkeep-backup@service.service"]
    let result = try Command.run(
      "systemd-analyze", ["verify", "--man=no"] + instances,
      environment: ["SYSTEMD_UNIT_PATH": installation.directory.file("units") + ":"])
    #expect(result.exitCode == 0)
    #expect(result.errorText == "")
  }

  @Test func runAtTwoAndOnSundays() throws {
    let installation = try CronInstallation()
    for (timer, database) in Self.timers {
      let unit = try installation.text(timer)
      #expect(SystemdUnit.values("Unit", in: unit) == ["pgkeep-backup@\(database).service"])
      let calendar = try #require(SystemdUnit.values("OnCalendar", in: unit).first)
      let next = try Command.check(
        "systemd-analyze",
        ["calendar", "--iterations=2", "--base-time=2026-11-20 12:00:00", calendar],
        environment: ["TZ": "UTC", "LC_ALL": "C"]
      ).text
      if database == "service" {
        #expect(next.contains("2026-11-21 02:00:00") && next.contains("2026-11-22 02:00:00"))
      } else {
        #expect(next.contains("2026-11-22 03:30:00") && next.contains("2026-11-29 03:30:00"))
      }
    }
  }
}
