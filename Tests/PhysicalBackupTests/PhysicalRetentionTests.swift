import ByteStream
import Foundation
import ObjectStore
import Postgres
import Repository
import TestSupport
import Testing

@testable import PhysicalBackup

/// An archive of which only names, manifests and ages are real.
private struct AgedArchive {
  static let segmentSize = 1 << 20
  let directory: TestDirectory
  let store: DirectoryStore
  let layout = ClusterLayout(environment: "test", systemIdentifier: "7")
  let now = UTCTime.now()

  init() throws {
    directory = try TestDirectory()
    store = try DirectoryStore(path: directory.path)
    _ = try WALArchive.establish(store, layout, segmentSize: Self.segmentSize, major: 15)
  }

  private func put(_ key: String, _ bytes: [UInt8], daysAgo days: Double) throws {
    try store.put(key, bytes)
    let seconds = Double(now.milliseconds) / 1000 - days * 86400
    try FileManager.default.setAttributes(
      [.modificationDate: Date(timeIntervalSince1970: seconds)],
      ofItemAtPath: directory.file(key))
  }

  func segment(_ number: UInt64, timeline: UInt32 = 1) -> WALSegment {
    WALSegment(timeline: timeline, number: number, size: Self.segmentSize)
  }

  func addWAL(_ number: UInt64, timeline: UInt32 = 1, daysAgo days: Double) throws {
    let segment = segment(number, timeline: timeline)
    try put(layout.segmentKey(segment), Array("wal".utf8), daysAgo: days)
    try put(layout.pointsKey(segment), Array("{}".utf8), daysAgo: days)
  }

  /// A base backup that begins and ends in one segment.
  @discardableResult
  func addBase(
    at number: UInt64, timeline: UInt32 = 1, daysAgo days: Double, includesWAL: Bool = false
  ) throws -> BackupID {
    let time = UTCTime(milliseconds: now.milliseconds - Int64(days * 86_400_000))
    let id = try BackupID(at: time)
    func object(_ key: String) throws -> BaseManifest.Object {
      try put(key, [1, 2, 3], daysAgo: days)
      return BaseManifest.Object(key: key, size: 3, sha256: "", plainSize: 3)
    }
    let start = segment(number).start
    let manifest = BaseManifest(
      id: id, label: "test", tool: "test",
      server: BaseManifest.Server(
        version: "15.1", versionNumber: 150001, systemIdentifier: "7",
        segmentSize: Self.segmentSize, isStandby: false),
      started: time, finished: time, timeline: timeline, start: start + 100, end: start + 200,
      endTime: ServerTime(unixMicroseconds: time.milliseconds * 1000), includesWAL: includesWAL,
      tablespaces: [], archives: [try object(layout.archiveKey(id, "base.tar"))],
      index: try object(layout.indexKey(id)),
      serverManifest: try object(layout.serverManifestKey(id)),
      settings: try object(layout.settingsKey(id)))
    try put(layout.manifestKey(id), try manifest.encoded(), daysAgo: days)
    return id
  }

  func plan(days: Int) throws -> PhysicalRetentionPlan {
    let plans = try PhysicalPrune(store, environment: "test").plan(days: days)
    return try #require(plans.first)
  }

  func prune(days: Int) throws -> PhysicalPrune.Outcome {
    try PhysicalPrune(store, environment: "test").run(plan(days: days))
  }

  func catalog() throws -> PhysicalCatalog {
    try PhysicalCatalog(store, environment: "test", points: .none)
  }

  /// The segments behind whose end one can restore to, of those that were stored since.
  func reachable(daysAgo days: Double) throws -> Set<WALSegment> {
    let catalog = try catalog()
    let since = UTCTime(milliseconds: now.milliseconds - Int64(days * 86_400_000))
    var found: Set<WALSegment> = []
    for info in try store.list(prefix: layout.walPrefix) where info.modified >= since {
      guard let segment = layout.segment(ofWAL: info.key, size: Self.segmentSize),
        let history = catalog.histories[segment.timeline]
      else { continue }
      let path = RecoveryPath(catalog, history)
      let isReachable = path.bases.contains { base in
        base.endPosition <= segment.end && (path.covered(from: base) ?? .zero) >= segment.end
      }
      if isReachable { found.insert(segment) }
    }
    return found
  }
}

@Suite struct PhysicalRetentionTests {
  @Test func aWindowKeepsTheBaseBeforeItAndAllWALSince() throws {
    let archive = try AgedArchive()
    for number in 0..<60 {
      try archive.addWAL(UInt64(number), daysAgo: Double(60 - number) - 0.5)
    }
    let bases = try [50, 40, 20, 5].map { days in
      try archive.addBase(at: UInt64(60 - days), daysAgo: Double(days))
    }
    let plan = try archive.plan(days: 30)
    #expect(plan.deletions.map(\.name) == ["\(bases[0])", "WAL before 0/1400000"])
    #expect(plan.warnings.isEmpty)
    let before = try archive.reachable(daysAgo: 30)
    let outcome = try archive.prune(days: 30)
    #expect(outcome.refused.isEmpty && outcome.freed > 0)
    let catalog = try archive.catalog()
    #expect(catalog.bases.map(\.id) == Array(bases[1...]))
    #expect(try #require(catalog.wal).segments[1] == Array(20..<60))
    // Points go with their WAL.
    #expect(try archive.store.list(prefix: archive.layout.pointsPrefix).count == 40)
    #expect(try archive.reachable(daysAgo: 30) == before)
    #expect(try archive.plan(days: 30).deletions.isEmpty)
    // A window of no days: the newest, and what came after it.
    _ = try archive.prune(days: 0)
    #expect(try archive.catalog().bases.map(\.id) == [bases[3]])
    #expect(try #require(archive.catalog().wal).segments[1] == Array(55..<60))
  }

  /// Whatever the archive looks like, no moment of the window is lost.
  @Test func noMomentOfTheWindowIsLost() throws {
    var random = SeededGenerator()
    for round in 0..<15 {
      let archive = try AgedArchive()
      let days = Int.random(in: 0...40, using: &random)
      for number in 0..<50 {
        // Gaps, and bases between them.
        if Int.random(in: 0..<12, using: &random) > 0 {
          try archive.addWAL(UInt64(number), daysAgo: Double(50 - number) - 0.5)
        }
        if Int.random(in: 0..<8, using: &random) == 0 {
          try archive.addBase(
            at: UInt64(number), daysAgo: Double(50 - number) - 0.25,
            includesWAL: Bool.random(using: &random))
        }
      }
      let before = try archive.reachable(daysAgo: Double(days))
      let newest = try archive.catalog().bases.last?.id
      let outcome = try archive.prune(days: days)
      #expect(outcome.refused.isEmpty)
      #expect(
        try archive.reachable(daysAgo: Double(days)) == before,
        "round \(round), \(days) days, seed \(random.seed)")
      #expect(try archive.catalog().bases.last?.id == newest)
    }
  }

  @Test func eachTimelineInTheWindowIsKept() throws {
    let archive = try AgedArchive()
    for number in 0..<30 {
      try archive.addWAL(UInt64(number), daysAgo: Double(60 - number))
    }
    // Left at segment 20, forty days ago; the old primary went on for ten segments.
    try archive.store.put(
      archive.layout.historyKey(timeline: 2), Array("1\t0/1400100\tfailover\n".utf8))
    for number in 20..<59 {
      try archive.addWAL(UInt64(number), timeline: 2, daysAgo: Double(59 - number))
    }
    let first = try archive.addBase(at: 5, daysAgo: 55)
    let second = try archive.addBase(at: 15, daysAgo: 45)
    let dead = try archive.addBase(at: 25, daysAgo: 35)
    let newest = try archive.addBase(at: 50, timeline: 2, daysAgo: 9)
    let before = try archive.reachable(daysAgo: 20)
    #expect(before.count > 15)
    let plan = try archive.plan(days: 20)
    #expect(plan.deletions.map(\.name) == ["\(dead)", "\(first)", "WAL before 0/F00000"])
    _ = try archive.prune(days: 20)
    #expect(try archive.catalog().bases.map(\.id) == [second, newest])
    #expect(try archive.reachable(daysAgo: 20) == before)
    // While the window reaches back to the old timeline, its own base is needed as well.
    #expect(try archive.catalog().gaps().isEmpty)
  }

  @Test func nothingGoesWhileSomethingIsNotUnderstood() throws {
    let archive = try AgedArchive()
    for number in 0..<60 {
      try archive.addWAL(UInt64(number), daysAgo: Double(60 - number) - 0.5)
    }
    for days in [50, 40] { try archive.addBase(at: UInt64(60 - days), daysAgo: Double(days)) }
    let id = try archive.addBase(at: 40, daysAgo: 20)
    let key = archive.layout.manifestKey(id)
    let good = try archive.store.readAll(key, limit: 1 << 20)
    for bad in [Array("{".utf8), Array(#"{"format": 99}"#.utf8)] {
      try archive.store.put(key, bad)
      let plan = try archive.plan(days: 30)
      #expect(plan.deletions.isEmpty)
      #expect(plan.warnings.count == 1)
    }
    try archive.store.put(key, good)
    #expect(try !archive.plan(days: 30).deletions.isEmpty)
    // WAL of a timeline whose history is missing.
    try archive.addWAL(60, timeline: 2, daysAgo: 0)
    #expect(try archive.plan(days: 30).deletions.isEmpty)
    try archive.store.put(
      archive.layout.historyKey(timeline: 2), Array("1\t0/3C00000\tfailover\n".utf8))
    #expect(try !archive.plan(days: 30).deletions.isEmpty)
    // What the plan keeps has lost an object.
    let plan = try archive.plan(days: 30)
    try archive.store.delete(archive.layout.indexKey(id))
    let error = #expect(throws: PhysicalBackupError.self) {
      try PhysicalPrune(archive.store, environment: "test").run(plan)
    }
    #expect(error?.code == .damaged)
    #expect(try archive.catalog().bases.count == 3)
  }

  @Test func anArchiveThatNobodyFeedsIsHeld() throws {
    let archive = try AgedArchive()
    for number in 0..<20 {
      try archive.addWAL(UInt64(number), daysAgo: Double(60 - number))
    }
    try archive.addBase(at: 5, daysAgo: 55)
    try archive.addBase(at: 15, daysAgo: 45)
    let plan = try archive.plan(days: 30)
    #expect(plan.deletions.isEmpty)
    #expect(plan.warnings.first?.contains("for more than 30 days") ?? false)
    #expect(try archive.plan(days: 42).deletions.count == 2)
    // A base from the future: a clock has jumped.
    try archive.addBase(at: 19, daysAgo: -3)
    #expect(throws: RepositoryError.self) { try archive.plan(days: 30) }
  }

  @Test func leftoversGoByTheirAge() throws {
    let archive = try AgedArchive()
    try archive.addWAL(0, daysAgo: 1)
    try archive.addWAL(1, daysAgo: 1)
    try archive.addBase(at: 0, daysAgo: 1)
    let old = try archive.addBase(at: 0, daysAgo: 8)
    let young = try archive.addBase(at: 0, daysAgo: 3)
    for id in [old, young] { try archive.store.delete(archive.layout.manifestKey(id)) }
    let plan = try archive.plan(days: 30)
    #expect(Set(plan.lines.filter { $0.kind == .leftover }.map(\.isDeleted)) == [true, false])
    _ = try archive.prune(days: 30)
    #expect(try archive.store.list(prefix: archive.layout.basePrefix(old)).isEmpty)
    #expect(try archive.store.list(prefix: archive.layout.basePrefix(young)).count == 4)
    #expect(try #require(archive.catalog().wal).segments[1] == [0, 1])
  }

  /// Sixty days of WAL and base backups, of which a prune wants the two oldest.
  private func agedArchive() throws -> (AgedArchive, [BackupID]) {
    let archive = try AgedArchive()
    for number in 0..<60 { try archive.addWAL(UInt64(number), daysAgo: Double(60 - number) - 0.5) }
    let bases = try [55, 45, 40, 5].map { days in
      try archive.addBase(at: UInt64(60 - days), daysAgo: Double(days))
    }
    return (archive, bases)
  }

  @Test func whatIsReadStaysWithItsWAL() throws {
    let (archive, bases) = try agedArchive()
    #expect(
      try archive.plan(days: 30).deletions.map(\.name)
        == ["\(bases[1])", "\(bases[0])", "WAL before 0/1400000"])
    let base = try #require(archive.catalog().bases.first { $0.id == bases[1] })
    try archive.catalog().reading(base, refused: { Issue.record($0) }) {
      #expect(
        try archive.plan(days: 30).deletions.map(\.name) == ["\(bases[0])", "WAL before 0/F00000"])
      let outcome = try archive.prune(days: 30)
      #expect(outcome.refused.isEmpty && outcome.deleted.count == 2)
      #expect(try #require(archive.catalog().wal).segments[1] == Array(15..<60))
      // What a killed reader left holds nothing after a day.
      let inventory = try PhysicalInventory(
        archive.store, environment: "test", systemIdentifier: "7")
      let later = try PhysicalRetentionPlan(
        inventory, days: 30, now: archive.now.adding(days: 2))
      #expect(later.deletions.first?.name == "\(bases[1])" && later.staleMarks.count == 1)
    }
    #expect(try archive.store.list(prefix: archive.layout.marksPrefix).isEmpty)
    _ = try archive.prune(days: 30)
    #expect(try archive.catalog().bases.map(\.id) == Array(bases[2...]))
    let error = #expect(throws: PhysicalBackupError.self) {
      try archive.catalog().reading(base, refused: { _ in }) {}
    }
    #expect(error?.code == .nothingToRestore)
  }

  @Test func nothingGoesWhileSomebodyReadsAll() throws {
    let (archive, bases) = try agedArchive()
    let before = try archive.store.list(prefix: "").map(\.key)
    let plan = try archive.plan(days: 30)
    try PhysicalCatalog.readingAll(
      of: "7", in: archive.store, environment: "test", refused: { Issue.record($0) }
    ) {
      #expect(try archive.plan(days: 30).deletions.isEmpty)
      // One that was planned before.
      let outcome = try PhysicalPrune(archive.store, environment: "test").run(plan)
      #expect(outcome.deleted.isEmpty && outcome.refused.map(\.isExpected) == [true])
      #expect(try archive.catalog().bases.map(\.id) == bases)
    }
    #expect(try archive.store.list(prefix: "").map(\.key) == before)
    #expect(
      try PhysicalPrune(archive.store, environment: "test").run(plan).deleted.count == 3)
  }

  @Test func aReaderThatComesBetweenPlanAndDeletionIsSeen() throws {
    let (archive, bases) = try agedArchive()
    let plan = try archive.plan(days: 30)
    let base = try #require(archive.catalog().bases.first { $0.id == bases[0] })
    try archive.catalog().reading(base, refused: { Issue.record($0) }) {
      let outcome = try PhysicalPrune(archive.store, environment: "test").run(plan)
      // The newer one goes first; the WAL of the older one stays with it.
      #expect(outcome.deleted.map(\.name) == ["\(bases[1])"])
      #expect(outcome.refused.map(\.line.name) == ["\(bases[0])"])
      #expect(try #require(archive.catalog().wal).segments[1] == Array(0..<60))
    }
  }

  /// The mark and the look at the manifest fall between the prune's own look and its deletion.
  @Test func whatLosesItsManifestToAReaderKeepsItsFilesAndWAL() throws {
    let (archive, bases) = try agedArchive()
    let objects = try archive.store.list(prefix: archive.layout.basePrefix(bases[0])).count
    try archive.store.delete(archive.layout.manifestKey(bases[0]))
    try archive.store.put(archive.layout.markPrefix(bases[0]) + "0badcafe", [])
    let plan = try archive.plan(days: 30)
    #expect(plan.deletions.isEmpty && plan.warnings.count == 1)
    #expect(try archive.prune(days: 30).deleted.isEmpty)
    #expect(
      try archive.store.list(prefix: archive.layout.basePrefix(bases[0])).count == objects)
  }
}
