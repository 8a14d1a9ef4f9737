import Postgres
import Testing

@testable import PhysicalBackup

@Suite struct RecoveryTimeTests {
  @Test(arguments: [
    ("2026-11-22 14:30Z", "2026-11-22 14:30:00+00"),
    ("2026-11-22T14:30:05+02:00", "2026-11-22 12:30:05+00"),
    ("2026-11-22 14:30:05.25 UTC", "2026-11-22 14:30:05.250000+00"),
    ("2026-11-22 14:30:05.123456789-0530", "2026-11-22 20:00:05.123456+00"),
    ("2026-01-01 00:10+01", "2025-12-31 23:10:00+00"),
    ("1999-12-31 23:59:59.9Z", "1999-12-31 23:59:59.900000+00"),
  ])
  func timesAreRead(text: String, expected: String) throws {
    #expect(try RecoveryTime.text(RecoveryTime.parse(text)) == expected)
  }

  @Test(arguments: [
    "2026-11-22 14:30", "2026-11-22", "yesterday", "2026-13-01 00:00Z", "2026-02-30 00:00Z",
    "2026-11-22 25:00Z", "2026-11-22 14:30 CET", "2026-11-22 14:30:5Z", "", "2026-11-22 14:30+1",
    "2026-11-22 14:30+01:99",
  ])
  func othersAreRefused(text: String) {
    let error = #expect(throws: PhysicalBackupError.self) { try RecoveryTime.parse(text) }
    #expect(error?.code == .invalidTarget)
  }
}
