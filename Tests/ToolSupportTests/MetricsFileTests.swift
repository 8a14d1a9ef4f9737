import Foundation
import ObjectStore
import TestSupport
import Testing

@testable import ToolSupport

@Suite struct MetricsFileTests {
  private func file(succeeded: Bool, at seconds: Int64) -> MetricsFile {
    MetricsFile(
      command: "backup run", environment: "production",
      facts: [.init("database", "sh\"op"), .init("bytes", 1200), .init("id", "x")],
      succeeded: succeeded, duration: .milliseconds(1500), time: UTCTime(seconds: seconds))
  }

  @Test func writesWhatPrometheusReads() throws {
    let directory = try TestDirectory()
    let first = file(succeeded: true, at: 1000)
    #expect(first.name == "pgkeep_backup_run_production_sh_op.prom")
    try first.write(inDirectory: directory.path)
    let path = directory.path + "/" + first.name
    let text = try String(contentsOfFile: path, encoding: .utf8)
    let labels = #"{command="backup run",environment="production",database="sh\"op"}"#
    for line in [
      "pgkeep_success\(labels) 1", "pgkeep_last_run_time_seconds\(labels) 1000",
      "pgkeep_last_success_time_seconds\(labels) 1000", "pgkeep_duration_seconds\(labels) 1.5",
      "pgkeep_bytes\(labels) 1200", "# TYPE pgkeep_bytes gauge",
    ] {
      #expect(text.split(separator: "\n").contains { $0 == line }, "\(line)")
    }

    // A failure keeps the time of the last success.
    try file(succeeded: false, at: 2000).write(inDirectory: directory.path)
    let later = try String(contentsOfFile: path, encoding: .utf8)
    #expect(later.contains("pgkeep_success\(labels) 0\n"))
    #expect(later.contains("pgkeep_last_run_time_seconds\(labels) 2000\n"))
    #expect(later.contains("pgkeep_last_success_time_seconds\(labels) 1000\n"))
    #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path) == [first.name])
  }

  @Test func saysWhereItCouldNotWrite() {
    let report = #expect(throws: ErrorReport.self) {
      try file(succeeded: true, at: 1).write(inDirectory: "/nowhere/at/all")
    }
    #expect(report?.message.contains("/nowhere/at/all") == true)
  }
}
