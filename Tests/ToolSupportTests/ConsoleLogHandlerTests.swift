import Foundation
import Logging
import ObjectStore
import Testing

@testable import ToolSupport

@Suite struct ConsoleLogHandlerTests {
  private let origin = ConsoleLogHandler.Origin(
    service: "backup", environment: "production", requestID: "0123")
  private let time = UTCTime(milliseconds: 1_795_356_000_250)

  @Test func jsonHasExactlyTheDocumentedFields() throws {
    let line = ConsoleLogHandler.line(
      .warning, "a \"b\"\nc", ["duration_ms": "1500", "bytes": .stringConvertible(12)], at: time,
      format: .json, origin: origin)
    let read = try #require(
      try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
    #expect(
      Set(read.keys) == [
        "timestamp", "level", "service", "environment", "version", "request_id", "message",
        "duration_ms", "metadata",
      ])
    #expect(read["timestamp"] as? String == "2026-11-22T14:00:00.250Z")
    #expect(read["level"] as? String == "warning")
    #expect(read["service"] as? String == "backup")
    #expect(read["environment"] as? String == "production")
    #expect(read["version"] as? String == ToolVersion.current)
    #expect(read["request_id"] as? String == "0123")
    #expect(read["message"] as? String == "a \"b\"\nc")
    #expect(read["duration_ms"] as? Int == 1500)
    #expect((read["metadata"] as? [String: Any])?["bytes"] as? Int == 12)
    #expect(!line.contains("\n"))
  }

  @Test func jsonSaysNullWithoutADuration() throws {
    let line = ConsoleLogHandler.line(
      .info, "begun", [:], at: time, format: .json, origin: origin)
    let read = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
    #expect(read?["duration_ms"] is NSNull)
    #expect((read?["metadata"] as? [String: Any])?.isEmpty == true)
  }

  @Test func textIsALineForPeople() {
    let line = ConsoleLogHandler.line(
      .warning, "slow", ["duration_ms": "61000", "table": "users"], at: time, format: .text,
      origin: origin)
    #expect(line == "warning: slow table=users (1 min 01 s)")
  }
}
