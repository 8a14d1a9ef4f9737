import ByteStream
import Foundation
import Glibc
import ObjectStore
import Postgres
import TestSupport
import Testing

@testable import PhysicalBackup

@Suite struct WALSpoolTests {
  private let directory: TestDirectory
  private let archive: WALArchive
  private let spool: WALSpool

  init() throws {
    directory = try TestDirectory()
    archive = try WALArchive.establish(
      DirectoryStore(path: directory.file("store")),
      ClusterLayout(environment: "test", systemIdentifier: "7"), segmentSize: 1 << 20, major: 15)
    spool = WALSpool(path: directory.file("wal-spool"))
    try spool.make(owner: nil)
  }

  private func segment(_ number: UInt64) -> WALSegment {
    WALSegment(timeline: 1, number: number, size: archive.segmentSize)
  }

  private func text(_ number: UInt64) -> [UInt8] {
    (0..<archive.segmentSize).map { UInt8(truncatingIfNeeded: $0 / 7 + Int(number)) }
  }

  private func put(_ numbers: some Sequence<UInt64>) throws {
    for number in numbers {
      try archive.store.put(
        archive.layout.segmentKey(segment(number)), SmallGzip.compress(text(number)))
    }
  }

  private func fetchAhead() throws {
    try WALPrefetch(archive, into: spool).run(cancellation: Cancellation())
  }

  private func take(_ number: UInt64) -> Bool {
    spool.take(segment(number).name, to: directory.file("out"))
  }

  private var isEmpty: Bool {
    get throws {
      try directory.names(in: "wal-spool").allSatisfy { $0 == "lock" || $0 == "position" }
    }
  }

  @Test func whatComesNextIsThereAndIsGivenOnce() throws {
    try put(1...20)
    #expect(spool.note(segment(3).name))
    #expect(spool.wantsMore(after: segment(3).name))
    try fetchAhead()
    #expect(spool.segments == Set((4...11).map { segment($0).name }))
    #expect(!spool.wantsMore(after: segment(3).name))
    for number in UInt64(4)...7 {
      #expect(take(number))
      #expect(try directory.read("out") == text(number))
    }
    #expect(!take(4))
    #expect(!take(12))
    #expect(spool.wantsMore(after: segment(7).name))
    // Recovery is somewhere else now: what nobody will ask for goes.
    #expect(spool.note(segment(1).name))
    try fetchAhead()
    #expect(spool.segments == Set((2...9).map { segment($0).name }))
  }

  @Test func itEndsWhereTheArchiveEnds() throws {
    try put([4, 5])
    #expect(spool.note(segment(3).name))
    try fetchAhead()
    #expect(spool.segments == [segment(4).name, segment(5).name])
    #expect(try directory.names(in: "wal-spool").allSatisfy { !$0.hasSuffix(".part") })
  }

  @Test func aSegmentThatIsNotWholeIsLeftToWhoAsksForIt() throws {
    let piece = WALPiece(segment: segment(4), range: 0..<1000)
    try archive.store.put(
      archive.layout.pieceKey(piece), SmallGzip.compress(Array(text(4)[..<1000])))
    #expect(spool.note(segment(3).name))
    try fetchAhead()
    #expect(try isEmpty)
  }

  @Test func damageInTheStoreIsNeverGiven() throws {
    try put([4])
    var bytes = try archive.store.readAll(archive.layout.segmentKey(segment(4)), limit: 1 << 20)
    bytes[bytes.count / 2] ^= 1
    try archive.store.put(archive.layout.segmentKey(segment(4)), bytes)
    #expect(spool.note(segment(3).name))
    #expect(throws: PhysicalBackupError.self) { try fetchAhead() }
    #expect(!take(4))
    #expect(try isEmpty)
  }

  @Test(arguments: ["flipped", "cut", "zeros", "empty"])
  func damageOnTheDiskIsFetchedAgain(kind: String) throws {
    try put([4])
    #expect(spool.note(segment(3).name))
    try fetchAhead()
    let name = try #require(
      try directory.names(in: "wal-spool").first { $0.hasPrefix(segment(4).name) })
    var bytes = try directory.read("wal-spool/" + name)
    switch kind {
    case "flipped": bytes[70_000] ^= 0x10
    case "cut": bytes.removeLast()
    case "zeros": bytes = [UInt8](repeating: 0, count: bytes.count)
    default: bytes = []
    }
    _ = try directory.write(bytes, to: "wal-spool/" + name)
    #expect(!take(4))
    #expect(!FileManager.default.fileExists(atPath: directory.file("out")))
    #expect(try isEmpty)
    try fetchAhead()
    #expect(take(4))
    #expect(try directory.read("out") == text(4))
  }

  @Test func whoAsksWaitsForASegmentThatIsBeingFetched() throws {
    try put([4])
    #expect(spool.note(segment(3).name))
    try fetchAhead()
    let name = try #require(
      try directory.names(in: "wal-spool").first { $0.hasPrefix(segment(4).name) })
    let file = directory.file("wal-spool/" + name)
    let part = directory.file("wal-spool/" + segment(4).name + ".part")
    rename(file, part)
    // Left by a process that was killed: nobody will finish it.
    #expect(!take(4))
    let lock = try #require(spool.lock())
    // One at a time fetches.
    #expect(spool.lock() == nil)
    #expect(!spool.wantsMore(after: segment(3).name))
    try fetchAhead()
    #expect(FileManager.default.fileExists(atPath: part))
    JobThread.start("test-finish") { rename(part, file) }
    #expect(take(4))
    #expect(try directory.read("out") == text(4))
    close(lock)
  }

  @Test func whereTheFolderIsGoneNothingIsFetched() throws {
    try put(1...20)
    #expect(spool.note(segment(3).name))
    spool.discard()
    try fetchAhead()
    #expect(!spool.note(segment(3).name))
    #expect(!spool.wantsMore(after: segment(3).name))
    #expect(!take(4))
    #expect(try directory.names() == ["store"])
  }

  @Test func theCommandFetchesAheadAndNeedsNoStoreForWhatIsThere() throws {
    try put(1...11)
    let config = try directory.write(
      """
      {"format": 1, "environment": "test", "systemIdentifier": "7", "hasArchive": true,
        "settings": {"BACKUP_STORE": "file://\(directory.file("store"))"}}
      """, to: "wal-fetch.json")
    func fetch(_ number: UInt64) throws -> Int32? {
      let result = try Command.run(
        BuiltExecutable.restore,
        ["wal-fetch", "--config", config, segment(number).name, directory.file("out")])
      guard case .exited(let code) = result.ending else { return nil }
      return code
    }
    #expect(try fetch(3) == 0)
    #expect(try directory.read("out") == text(3))
    try wait { spool.segments == Set((4...11).map { segment($0).name }) }
    for number in UInt64(4)...8 {
      try archive.store.delete(archive.layout.segmentKey(segment(number)))
      #expect(try fetch(number) == 0)
      #expect(try directory.read("out") == text(number))
    }
    #expect(try fetch(12) == 1)
    try FileManager.default.removeItem(atPath: directory.file("store"))
    #expect(try fetch(9) == 0)
    #expect(try directory.read("out") == text(9))
    #expect(try fetch(12) == 126)
    // What was started to fetch ahead has ended.
    try wait {
      guard let lock = spool.lock() else { return false }
      close(lock)
      return true
    }
    spool.discard()
  }

  private func wait(_ isDone: () throws -> Bool) throws {
    let limit = ContinuousClock.now + .seconds(60)
    while try !isDone() {
      guard ContinuousClock.now < limit else {
        throw TestSupportError("not in time: \(try directory.names(in: "wal-spool"))")
      }
      usleep(20_000)
    }
  }
}
