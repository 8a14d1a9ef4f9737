import Foundation
import TestSupport
import Testing

/// `backup doctor` as monitors and people run it.
@Suite struct DoctorCommandTests {
  @Test func exitCodesAndJSONAreForMonitors() throws {
    let bench = try Bench(rows: 10)
    let without = try bench.backup("doctor", "--json")
    #expect(without.code == 1)
    let page = try without.json()
    #expect(page["status"] as? String == "failure")
    #expect(page["database"] as? String == "ok")
    #expect(page["storage"] as? String == "ok")
    #expect(page["backup"] as? String == "failure")
    let findings = try #require(page["findings"] as? [[String: Any]])
    let newest = try #require(findings.first { $0["name"] as? String == "backup.newest" })
    #expect((newest["advice"] as? String)?.contains("backup run") == true)
    #expect(try without.errors().count == 1)

    #expect(try bench.backup("run").code == 0)
    let with = try bench.backup("doctor")
    #expect(with.code == 0, "\(with.text)\(with.errorText)")
    #expect(with.text.contains("Database\n  ok       database.connection"))
    #expect(with.text.contains("warning  backup.encryption"))
    #expect(!with.text.contains(Bench.secret) && !with.errorText.contains(Bench.secret))
    // Not encrypted and never verified.
    #expect(try bench.backup("doctor", "--strict").code == 1)
    Thread.sleep(forTimeInterval: 3)
    #expect(
      try bench.backup("doctor", "--recovery-point", "1s", "--only", "backup.newest").code == 1)
  }

  @Test func aHealthPageAsksForTwoFindings() throws {
    let bench = try Bench(rows: 10)
    let arguments = ["--only", "database.connection", "--only", "storage.reachable"]
    let well = try bench.backup(
      "doctor", "--json", arguments[0], arguments[1], arguments[2], arguments[3])
    #expect(well.code == 0)
    #expect((try well.json()["findings"] as? [Any])?.count == 2)
    #expect(try well.json()["backup"] is NSNull)
    let gone = bench.backup.with([
      "DATABASE_URL": bench.url("nowhere", port: try LoopbackPort.free())
    ])
    let ill = try gone("doctor", "--json", arguments[0], arguments[1], arguments[2], arguments[3])
    #expect(ill.code == 1)
    #expect(try ill.json()["database"] as? String == "failure")
    #expect(try ill.json()["storage"] as? String == "ok")
    #expect(!ill.text.contains(Bench.secret) && !ill.errorText.contains(Bench.secret))
  }

  @Test func aWrongSettingIsNoFinding() throws {
    let bench = try Bench(rows: 10)
    #expect(try bench.backup("doctor", "--only", "storage.smell").code == 2)
    #expect(try bench.backup("doctor", "--recovery-point", "soon").code == 2)
    #expect(try bench.backup.with(["BACKUP_STORE": ""])("doctor").code == 8)
  }
}
