import ByteStream
import Gzip
import Postgres
import TestSupport

@testable import LogicalBackup

/// A small logical backup file, made by hand, and readers of it.
struct LogicalFileFixture {
  var bytes: [UInt8] = []
  var text: [UInt8] = []
  var tables: [TableRecord] = []
  let index: IndexWriter
  private let compressor: MemberCompressor

  static let latinName = SQLText(bytes: [0x63, 0x61, 0x66, 0xE9])

  static func facts() -> BackupFacts {
    var facts = BackupFacts(
      id: "20261122T020000Z-0123abcd", snapshotTime: "2026-11-22T02:00:00Z", tool: "0.1.0",
      database: "shop \"x\" \u{1F40C}\n", serverVersion: "15.14 (Debian)",
      serverVersionNumber: 150014, encoding: "LATIN1", collate: "C", ctype: "C",
      localeProvider: "libc", locale: nil, owner: latinName)
    facts.icuRules = "&a < g"
    facts.systemIdentifier = "7444444444444444444"
    facts.roles = ["alice", latinName]
    facts.extensions = ["citext"]
    return facts
  }

  init() throws {
    index = IndexWriter(Self.facts())
    compressor = try MemberCompressor(.fast)
    try add(.preData, "CREATE TABLE …;\n")
    for (number, count) in [(1, 2000), (2, 0), (3, 1)] {
      tables.append(
        TableRecord(
          number: number, schema: "public", name: number == 3 ? Self.latinName : "t\(number)",
          columns: number == 3 ? ["a", Self.latinName] : ["a", "b c"], sum: TableSum()))
      guard count > 0 else { continue }
      for half in 0..<2 {
        let rows = (0..<count).map { "\($0)\t\(half)\t\\N\n" }.joined()
        try add(rows, tables[number - 1])
      }
    }
    let item = "CREATE INDEX i ON t1 (a);\n"
    let offset = try add(.postData, "--\n" + item)
    index.add(
      ItemRecord(
        number: 1, kind: "INDEX", schema: "public", name: "i", stage: 0, dependencies: [],
        locks: [.init(table: 16384, isShared: true)], member: offset, start: 3,
        length: item.utf8.count))
    let indexOffset = bytes.count
    for number in tables.indices {
      tables[number].sum = index.sums[number + 1] ?? TableSum()
    }
    try index.finish(tables: tables, pieceSize: 300) { piece in
      try append(piece)
    }
    bytes += EndMember.bytes(indexOffset: indexOffset)
  }

  @discardableResult
  private mutating func append(_ text: [UInt8]) throws -> (offset: Int, length: Int) {
    let block = Block(capacity: 1000)
    let length = try compressor.compress(text, into: block)
    defer { bytes += Array(block.bytes) }
    self.text += text
    return (bytes.count, length)
  }

  @discardableResult
  private mutating func add(_ kind: MemberKind, _ text: String) throws -> Int {
    let (offset, length) = try append(Array(text.utf8))
    try index.add(
      MemberRecord(kind: kind, offset: offset, length: length, textLength: text.utf8.count))
    return offset
  }

  private mutating func add(_ rows: String, _ table: TableRecord) throws {
    var sum = TableSum()
    try Array(rows.utf8).withUnsafeBytes { try sum.add(rows: $0) }
    let text = table.copyStatement.bytes + Array(rows.utf8) + TableRecord.copyEnd.bytes
    let (offset, length) = try append(text)
    try index.add(
      MemberRecord(
        kind: .data, offset: offset, length: length, textLength: text.count,
        table: table.number, rows: sum.rows, hash: sum.hash), sum: sum)
  }

  static func reader(_ bytes: [UInt8]) -> LogicalFileReader {
    LogicalFileReader(name: "test.sql.gz", size: bytes.count) { range, body in
      var start = range.lowerBound
      while start < range.upperBound {
        let end = min(range.upperBound, start + 1000)
        try bytes.withUnsafeBytes { try body(UnsafeRawBufferPointer(rebasing: $0[start..<end])) }
        start = end
      }
    }
  }

  static func code(_ body: () throws -> Void) -> LogicalBackupError.Code? {
    do { try body() } catch let error as LogicalBackupError { return error.code } catch {
      return nil
    }
    return nil
  }
}
