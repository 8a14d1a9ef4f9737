import Postgres
import Testing

@Suite struct ReplicationMessageTests {
  private func bigEndian(_ values: UInt64...) -> [UInt8] {
    values.flatMap { value in (0..<8).map { UInt8(truncatingIfNeeded: value >> (56 - 8 * $0)) } }
  }

  @Test func walIsRead() throws {
    let message = [UInt8(ascii: "w")] + bigEndian(0x1_0000_0010, 0x1_0000_0014, 5) + [1, 2, 3, 4]
    try message.withUnsafeBytes { raw in
      guard case .data(let start, let end, let time, let bytes) = try ReplicationMessage(raw) else {
        Issue.record("not data")
        return
      }
      #expect(start.description == "1/10")
      #expect(end.description == "1/14")
      #expect(time.microseconds == 5)
      #expect(Array(bytes) == [1, 2, 3, 4])
    }
  }

  @Test func keepalivesAreRead() throws {
    for wanted in [UInt8(0), 1] {
      let message = [UInt8(ascii: "k")] + bigEndian(16, 17) + [wanted]
      try message.withUnsafeBytes { raw in
        guard case .keepalive(let end, let time, let reply) = try ReplicationMessage(raw) else {
          Issue.record("not a keepalive")
          return
        }
        #expect(end.rawValue == 16)
        #expect(time.microseconds == 17)
        #expect(reply == (wanted == 1))
      }
    }
  }

  @Test func statusIsWritten() {
    let status = StandbyStatus(
      written: LSN(rawValue: 3), flushed: LSN(rawValue: 2), time: ServerTime(microseconds: 9),
      wantsReply: true)
    #expect(status.bytes == [UInt8(ascii: "r")] + bigEndian(3, 2, 0, 9) + [1])
  }

  @Test func serverTimeCountsFrom2000() {
    #expect(ServerTime(unixMicroseconds: 946_684_800_000_001).microseconds == 1)
    #expect(ServerTime(microseconds: -1).unixMicroseconds == 946_684_799_999_999)
  }

  @Test(arguments: [[], [0x77], [0x77] + Array(repeating: 0, count: 23), [0x6B, 0], [0x7A]])
  func cutAndUnknownMessagesAreRefused(message: [UInt8]) {
    #expect(throws: PostgresError.self) {
      _ = try message.withUnsafeBytes { raw in
        _ = try ReplicationMessage(raw)
      }
    }
  }

  private func baseBackupMessage(_ bytes: [UInt8]) throws -> String {
    try bytes.withUnsafeBytes { raw in
      switch try BaseBackupMessage(raw) {
      case .archive(let name, let tablespace): "archive \(name) \(tablespace)"
      case .manifest: "manifest"
      case .data(let data): "data \(Array(data))"
      case .progress(let bytes): "progress \(bytes)"
      }
    }
  }

  @Test func baseBackupMessagesAreRead() throws {
    #expect(try baseBackupMessage(Array("nbase.tar\0\0".utf8)) == "archive base.tar ")
    #expect(
      try baseBackupMessage(Array("n16385.tar\0/srv/fast\0".utf8)) == "archive 16385.tar /srv/fast")
    #expect(try baseBackupMessage([UInt8(ascii: "m")]) == "manifest")
    #expect(try baseBackupMessage([UInt8(ascii: "d"), 7, 8]) == "data [7, 8]")
    #expect(
      try baseBackupMessage([UInt8(ascii: "p")] + bigEndian(1 << 40)) == "progress \(1 << 40)")
  }

  @Test(arguments: ["", "n", "nbase.tar\0", "m1", "p1", "x"])
  func otherBaseBackupMessagesAreRefused(text: String) {
    #expect(throws: PostgresError.self) { _ = try baseBackupMessage(Array(text.utf8)) }
  }

  @Test func baseBackupCommandsAreWritten() {
    var request = BaseBackupRequest(label: "it's")
    request.checkpoint = .spread
    request.maxRate = 1024
    #expect(
      request.command.string == "BASE_BACKUP (LABEL 'it''s', CHECKPOINT 'spread', PROGRESS true, "
        + "WAL false, WAIT true, TABLESPACE_MAP true, VERIFY_CHECKSUMS true, MANIFEST 'yes', "
        + "MANIFEST_CHECKSUMS 'SHA256', MAX_RATE 1024)")
  }
}
