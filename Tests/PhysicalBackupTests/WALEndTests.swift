import ByteStream
import ObjectStore
import Postgres
import Synchronization
import TestSupport
import Testing

@testable import PhysicalBackup

@Suite struct WALEndTests {
  private let store: CountingStore
  private let archive: WALArchive

  init() throws {
    let directory = try TestDirectory()
    store = CountingStore(try DirectoryStore(path: directory.file("store")), directory)
    archive = try WALArchive.establish(
      store, ClusterLayout(environment: "test", systemIdentifier: "7"), segmentSize: 1 << 20,
      major: 15)
  }

  private func segment(_ number: UInt64, timeline: UInt32 = 2) -> WALSegment {
    WALSegment(timeline: timeline, number: number, size: archive.segmentSize)
  }

  private func end(near hint: LSN?) throws -> WALArchive.End? {
    try archive.end(timeline: 2, near: hint, cancellation: Cancellation())
  }

  @Test func itIsWhatAWholeListingSays() throws {
    var random = SeededGenerator()
    // Across the place where names go on in their second part: 4096 segments of 1 MiB.
    for number in UInt64(4090)...4100 {
      let segment = segment(number)
      switch Int.random(in: 0..<4, using: &random) {
      case 0: break
      case 1:
        for from in [0, 1000, Int.random(in: 1000...9000, using: &random)] {
          let piece = WALPiece(segment: segment, range: from..<from + 1000)
          try store.put(archive.layout.pieceKey(piece), [0])
        }
      case 2:
        // Behind a hole: nothing of it can be used.
        try store.put(archive.layout.pieceKey(WALPiece(segment: segment, range: 5..<9)), [0])
      default:
        try store.put(archive.layout.segmentKey(segment), [0])
        try store.put(archive.layout.pieceKey(WALPiece(segment: segment, range: 0..<9)), [0])
      }
      try store.put(archive.layout.segmentKey(self.segment(5000, timeline: 1)), [0])
      try store.put(archive.layout.segmentKey(self.segment(5000, timeline: 3)), [0])
      try store.put(archive.layout.historyKey(timeline: 2), [0])
      let listing = try archive.listing(timeline: 2)
      for hint in [nil, 1, 4089, 4095, 4096, number, number + 1, 9999] as [UInt64?] {
        let found = try end(near: hint.map { self.segment($0).start + 77 })
        #expect(
          found?.position == listing.end(timeline: 2), "seed \(random.seed), near \(hint ?? 0)")
        if let found, found.position.rawValue % UInt64(archive.segmentSize) != 0 {
          let last = WALSegment(
            timeline: 2, holding: found.position, size: archive.segmentSize)
          #expect(found.pieces == listing.chain(last), "seed \(random.seed)")
        } else {
          #expect(found?.pieces.isEmpty ?? true)
        }
      }
    }
  }

  @Test func aLongArchiveIsNotListedWhereTheEndIsKnown() throws {
    for number in UInt64(0)..<300 {
      try store.put(archive.layout.segmentKey(segment(number)), [0])
    }
    store.listed.store(0, ordering: .relaxed)
    #expect(try end(near: segment(300).start)?.position == segment(300).start)
    #expect(try end(near: segment(299).start + 5)?.position == segment(300).start)
    #expect(store.listed.load(ordering: .relaxed) == 3)
    // A slot that was made anew is ahead of the archive.
    #expect(try end(near: segment(900).start)?.position == segment(300).start)
    #expect(store.listed.load(ordering: .relaxed) == 303)
  }
}

/// Counts what listings give.
private final class CountingStore: ObjectStore {
  let listed = Atomic(0)
  private let base: any ObjectStore
  private let directory: TestDirectory

  init(_ base: any ObjectStore, _ directory: TestDirectory) {
    self.base = base
    self.directory = directory
  }

  var description: String { base.description }
  func put(_ key: String, _ bytes: [UInt8], options: PutOptions) throws {
    try base.put(key, bytes, options: options)
  }
  func writer(_ key: String, options: WriteOptions) throws -> any ByteSink {
    try base.writer(key, options: options)
  }
  func info(_ key: String) throws -> ObjectInfo? { try base.info(key) }
  func read(
    _ key: String, range: Range<Int>?, cancellation: Cancellation,
    _ body: (UnsafeRawBufferPointer) throws -> Void
  ) throws {
    try base.read(key, range: range, cancellation: cancellation, body)
  }
  func list(prefix: String, _ body: (ObjectInfo) throws -> Void) throws {
    try list(prefix: prefix, after: "", body)
  }
  func list(prefix: String, after key: String, _ body: (ObjectInfo) throws -> Void) throws {
    try base.list(prefix: prefix, after: key) { info in
      listed.add(1, ordering: .relaxed)
      try body(info)
    }
  }
  func delete(_ keys: [String]) throws { try base.delete(keys) }
  func unfinished(prefix: String) throws -> [UnfinishedWrite] {
    try base.unfinished(prefix: prefix)
  }
  func discard(_ write: UnfinishedWrite) throws { try base.discard(write) }
  func clock() throws -> UTCTime { try base.clock() }
}
