import ByteStream
import Foundation
import TestSupport
import Testing

@testable import LogicalBackup

@Suite struct SpoolTests {
  @Test("What was written comes back, in memory or from a file", arguments: [10, 1000, 1 << 20])
  func roundTrip(limit: Int) throws {
    var random = SeededGenerator(seed: 9)
    let spool = Spool(limit: limit)
    var written: [UInt8] = []
    for _ in 0..<200 {
      let piece = random.bytes(Int.random(in: 0...300, using: &random))
      try spool.append(piece)
      written += piece
    }
    #expect(spool.count == written.count)
    for _ in 0..<2 {
      let source = spool.source()
      let block = Block(capacity: 777)
      var read: [UInt8] = []
      while true {
        block.reset()
        let count = try source.read(into: block.room)
        guard count > 0 else { break }
        block.advance(by: count)
        read += Array(block.bytes)
      }
      #expect(read == written)
    }
  }

  @Test("Lines are cut wherever the pieces end")
  func lines() throws {
    let text = "one\n\n" + String(repeating: "x", count: 20_000) + "\nlast\n"
    for size in [7, 1000, 65_536] {
      var lines = LineReader(BytesSource(Array(text.utf8), pieceSize: size))
      var found: [String] = []
      while let line = try lines.next() { found.append(String(decoding: line, as: UTF8.self)) }
      #expect(found + [""] == text.components(separatedBy: "\n"))
    }
    var endless = LineReader(BytesSource(Array("no end".utf8)))
    #expect(throws: LogicalBackupError.self) { _ = try endless.next() }
  }
}
