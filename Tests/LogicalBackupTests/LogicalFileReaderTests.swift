import ByteStream
import Gzip
import TestSupport
import Testing

@testable import LogicalBackup

@Suite struct LogicalFileReaderTests {
  @Test("The index comes back as it was written, found from the end")
  func roundTrip() throws {
    let file = try LogicalFileFixture()
    let reader = LogicalFileFixture.reader(file.bytes)
    #expect(try reader.kind() == .pgkeep)
    let index = try reader.readIndex()
    #expect(index.facts == LogicalFileFixture.facts())
    #expect(index.tables == file.tables)
    #expect(index.tables[0].sum.rows == 4000)
    #expect(index.items.map(\.number) == [1])
    #expect(index.items[0].locks == [.init(table: 16384, isShared: true)])
    #expect(index.totals == file.index.totals)
    #expect(try index.members(.data).count == 4)
    let members = MemberReader(reader)
    let text = Block(capacity: 100)
    var whole: [UInt8] = []
    try index.forEachMember { member in
      try members.read(member, into: text)
      whole += Array(text.bytes)
      guard let table = member.table else { return }
      let rows = try members.rows(of: member, index.tables[table - 1], in: text)
      #expect(rows.count < text.count)
    }
    let item = index.items[0]
    #expect(whole.suffix(item.length) == Array("CREATE INDEX i ON t1 (a);\n".utf8)[...])
    #expect(file.text.starts(with: whole))
  }

  @Test("gunzip reads the whole, and the index is ASCII comments")
  func foreignReader() throws {
    let file = try LogicalFileFixture()
    let text = try Command.check("gunzip", ["-c"], input: file.bytes).output
    #expect(text == file.text)
    let start = try #require(text.firstRange(of: Array("--\n-- pgkeep index\n".utf8)))
    let index = text[start.lowerBound...]
    #expect(index.allSatisfy { $0 == 10 || (0x20..<0x7F).contains($0) })
    for line in index.split(separator: 10) { #expect(line.starts(with: Array("--".utf8))) }
  }

  @Test("A file without its end is truncated, wherever it was cut")
  func truncated() throws {
    let bytes = try LogicalFileFixture().bytes
    for length in [40, 100, bytes.count / 2, bytes.count - 47, bytes.count - 1] {
      let reader = LogicalFileFixture.reader(Array(bytes[..<length]))
      #expect(LogicalFileFixture.code { _ = try reader.readIndex() } == .truncated, "\(length)")
    }
    let longer = LogicalFileFixture.reader(bytes + [10])
    #expect(LogicalFileFixture.code { _ = try longer.readIndex() } == .truncated)
  }

  @Test("A flipped bit anywhere in the index or the members is noticed")
  func flippedBits() throws {
    let bytes = try LogicalFileFixture().bytes
    var random = SeededGenerator(seed: 5)
    for _ in 0..<400 {
      var damaged = bytes
      let place = Int.random(in: 0..<bytes.count, using: &random)
      damaged[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
      let reader = LogicalFileFixture.reader(damaged)
      let text = Block(capacity: 100)
      var whole: [UInt8] = []
      let outcome = Result {
        let members = MemberReader(reader)
        try reader.readIndex().forEachMember {
          try members.read($0, into: text)
          whole += Array(text.bytes)
        }
      }
      guard case .success = outcome else { continue }
      // Only what says nothing, such as a header's time, may change unnoticed.
      let index = try reader.readIndex()
      #expect(index.tables.map(\.sum.rows) == [4000, 0, 2])
      #expect(try LogicalFileFixture().text.starts(with: whole))
    }
  }

  @Test("Other files are told apart")
  func foreignFiles() throws {
    func kind(_ bytes: [UInt8]) throws -> LogicalFileKind {
      try LogicalFileFixture.reader(bytes).kind()
    }
    #expect(try kind([]) == .plain)
    #expect(try kind(Array("SELECT 1;".utf8)) == .plain)
    #expect(try kind(Array("PGDMP\u{1}".utf8)) == .customArchive)
    #expect(try kind(Array("age-encryption.org/v1\n".utf8)) == .encrypted)
    let gzip = try Command.check("gzip", ["-c"], input: Array("SELECT 1;".utf8)).output
    #expect(try kind(gzip) == .gzip)
    let reader = LogicalFileFixture.reader(gzip)
    #expect(LogicalFileFixture.code { _ = try reader.readIndex() } == .notABackup)
    let directory = try TestDirectory()
    try directory.write("x", to: "toc.dat")
    let tar = try Command.check("tar", ["-cf", "-", "-C", directory.path, "toc.dat"]).output
    #expect(try kind(tar) == .tarArchive)
  }

  @Test("The whole file can be read as a stream")
  func stream() throws {
    let bytes = try LogicalFileFixture().bytes
    let source = LogicalFileFixture.reader(bytes).stream(pieceSize: 700)
    let reader = GzipReader(source)
    let block = Block(capacity: 5000)
    var text: [UInt8] = []
    while true {
      block.reset()
      let count = try reader.read(into: block.room)
      guard count > 0 else { break }
      block.advance(by: count)
      text += Array(block.bytes)
    }
    #expect(try text == LogicalFileFixture().text)
  }
}
