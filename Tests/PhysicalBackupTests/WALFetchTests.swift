import ByteStream
import Foundation
import ObjectStore
import Postgres
import TestSupport
import Testing

@testable import PhysicalBackup

@Suite struct WALFetchTests {
  private let directory: TestDirectory
  private let archive: WALArchive
  private let segment = WALSegment(timeline: 1, number: 3, size: 1 << 20)

  init() throws {
    directory = try TestDirectory()
    archive = try WALArchive.establish(
      DirectoryStore(path: directory.file("store")),
      ClusterLayout(environment: "test", systemIdentifier: "7"), segmentSize: 1 << 20, major: 15)
  }

  private func text(_ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: $0 / 7) }
  }

  private func put(_ key: String, _ plain: [UInt8]) throws {
    try archive.store.put(key, SmallGzip.compress(plain))
  }

  private func putPiece(_ range: Range<Int>) throws {
    let piece = WALPiece(segment: segment, range: range)
    try put(archive.layout.pieceKey(piece), Array(text(segment.size)[range]))
  }

  private func fetch(_ name: String) throws -> WALFetch.Outcome {
    try WALFetch(archive).fetch(name, to: directory.file("out"), cancellation: Cancellation())
  }

  @Test func aWholeSegmentIsGiven() throws {
    try put(archive.layout.segmentKey(segment), text(segment.size))
    #expect(try fetch(segment.name) == .fetched(isWhole: true))
    #expect(try directory.read("out") == text(segment.size))
  }

  @Test func piecesAreJoinedAndFilledUp() throws {
    try putPiece(0..<1000)
    try putPiece(1000..<70_000)
    // Left over from before a compaction, and one behind a hole.
    try putPiece(500..<900)
    try putPiece(90_000..<100_000)
    #expect(try fetch(segment.name) == .fetched(isWhole: false))
    let zeros = [UInt8](repeating: 0, count: segment.size - 70_000)
    #expect(try directory.read("out") == text(segment.size)[..<70_000] + zeros)
  }

  @Test(arguments: [
    "000000010000000000000004", "00000002.history", "00000001000000000000000G", "x",
    "000000010000000000000003.00000028.backup", "000000020000000000000003",
  ])
  func whatIsNotThereIsSaidToBeNotThere(name: String) throws {
    try putPiece(1000..<2000)
    #expect(try fetch(name) == .notThere)
    #expect(try fetch(segment.name) == .notThere)
    #expect(!FileManager.default.fileExists(atPath: directory.file("out")))
  }

  @Test func damageIsAnErrorAndNoFile() throws {
    for plain in [text(segment.size - 1), text(segment.size + 1), []] {
      try put(archive.layout.segmentKey(segment), plain)
      let error = #expect(throws: PhysicalBackupError.self) { try fetch(segment.name) }
      #expect(error?.code == .damaged)
      #expect(try directory.names() == ["store"])
    }
  }

  @Test func aHistoryIsGiven() throws {
    try archive.store.put(archive.layout.historyKey(timeline: 2), Array("1\t0/5\tx\n".utf8))
    #expect(try fetch("00000002.history") == .fetched(isWhole: true))
    #expect(try directory.read("out") == Array("1\t0/5\tx\n".utf8))
  }
}
