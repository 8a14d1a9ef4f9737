import Glibc
import ObjectStore
import Testing

@testable import Repository

@Suite struct PinTests {
  @Test func whatIsReadIsNotPlannedToGo() throws {
    try withStore { store in
      let now = try store.clock()
      let old = try Sample.backup(store, at: now.adding(days: -40))
      try Sample.backup(store, at: now)
      let repository = BackupRepository(store, environment: "production")
      func deletions(_ now: UTCTime) throws -> RetentionPlan {
        try RetentionPlan(aged(repository), policy: RetentionPolicy(keepDays: 30), now: now)
      }
      #expect(try deletions(now).deletions.count == 1)
      try repository.reading(old, refused: { Issue.record($0) }) {
        let pins = try repository.catalog().pins
        #expect(pins.map(\.backup) == [old])
        #expect(try deletions(now).deletions.isEmpty)
        // What a killed restore left holds nothing after a day.
        let later = try deletions(now.adding(days: 2))
        #expect(later.deletions.map(\.names) == [old])
        #expect(later.stalePins == pins)
      }
      #expect(try repository.catalog().pins.isEmpty)
    }
  }

  @Test func aReaderThatComesBetweenPlanAndDeletionIsSeen() throws {
    try withStore { store in
      let now = try store.clock()
      let old = try Sample.backup(store, at: now.adding(days: -40))
      try Sample.backup(store, at: now)
      let repository = BackupRepository(store, environment: "production")
      let prune = Prune(repository)
      let plan = try RetentionPlan(
        aged(repository), policy: RetentionPolicy(keepDays: 30), now: now)
      try repository.reading(old, refused: { Issue.record($0) }) {
        let outcome = try prune.run(plan)
        #expect(outcome.deleted.isEmpty)
        #expect(outcome.refused.map(\.line.names) == [old])
        #expect(outcome.refused.first?.isExpected == true)
      }
      #expect(try prune.run(plan).deleted.map(\.names) == [old])
      #expect(code { try repository.reading(old, refused: { _ in }) {} } == .noBackup)
    }
  }

  /// The mark and the look at the manifest fall between the prune's own look and its deletion.
  @Test func aReaderThatComesWhileTheManifestGoesKeepsTheData() throws {
    try withStore { directory in
      let now = try directory.clock()
      let old = try Sample.backup(directory, at: now.adding(days: -40))
      try Sample.backup(directory, at: now)
      let pin = Pin.prefix(of: old) + "0badcafe"
      let store = RecordingStore(
        directory,
        beforeDeleting: { keys in
          if keys == [old.manifestKey] { try directory.put(pin, []) }
        })
      let repository = BackupRepository(store, environment: "production")
      let plan = try RetentionPlan(
        aged(repository), policy: RetentionPolicy(keepDays: 30), now: now)
      let outcome = try Prune(repository).run(plan)
      #expect(outcome.deleted.isEmpty && outcome.refused.map(\.line.names) == [old])
      #expect(try directory.info(old.dataKey(encrypted: false)) != nil)
      #expect(try directory.info(old.manifestKey) == nil)
    }
  }

  @Test func aStoreThatMayOnlyBeReadIsReadAllTheSame() throws {
    try withStore { directory in
      let names = try Sample.backup(directory, at: try directory.clock())
      let prefix = Pin.prefix(of: names)
      let repository = BackupRepository(
        RecordingStore(directory, refusingWrites: prefix), environment: "production")
      var refusals = 0
      let value = try repository.reading(names, refused: { _ in refusals += 1 }) { 7 }
      #expect(value == 7 && refusals == 1)
      #expect(try directory.list(prefix: prefix).isEmpty)
    }
  }

  /// A reader may need longer than a mark counts.
  @Test func aMarkIsWrittenAnewWhileItIsNeeded() throws {
    try withStore { directory in
      let store = RecordingStore(directory)
      try ReadingMark.keep(
        "production/shop/pins/x.", in: store, renewedEvery: .milliseconds(10),
        refused: { Issue.record($0) }
      ) {
        let deadline = ContinuousClock.now + .seconds(60)
        while store.written.count < 4, ContinuousClock.now < deadline { usleep(5_000) }
        #expect(store.written.count >= 4 && Set(store.written).count == 1)
        let isThere = try directory.info(store.written.first ?? "none") != nil
        #expect(isThere)
      }
      // It is gone, and nobody writes it any more.
      let count = store.written.count
      #expect(try directory.list(prefix: "production/").isEmpty)
      usleep(50_000)
      #expect(store.written.count == count)
      #expect(try directory.list(prefix: "production/").isEmpty)
    }
  }

  @Test func aMarkIsLeftForSomebodyWhoGoesOnReading() throws {
    try withStore { store in
      func keep(_ body: () throws -> Void) throws {
        try ReadingMark.keep("production/x.", in: store, isLeft: true, refused: { _ in }, body)
      }
      #expect(throws: CancellationError.self) { try keep { throw CancellationError() } }
      #expect(try store.list(prefix: "").isEmpty)
      try keep {}
      let now = try store.clock()
      #expect(try ReadingMark.isHeld("production/x.", in: store, at: now))
      #expect(try !ReadingMark.isHeld("production/x.", in: store, at: now.adding(days: 1)))
      #expect(try !ReadingMark.isHeld("production/y.", in: store, at: now))
    }
  }

  @Test func aMarkThatMayNotBeDeletedIsReleased() throws {
    try withStore { directory in
      let store = RecordingStore(
        directory, beforeDeleting: { _ in throw ObjectStoreError(.retained, "locked") })
      try ReadingMark.keep("production/x.", in: store, refused: { Issue.record($0) }) {
        let isHeld = try ReadingMark.isHeld("production/x.", in: store, at: store.clock())
        #expect(isHeld)
      }
      #expect(try directory.list(prefix: "production/x.").count == 1)
      #expect(try !ReadingMark.isHeld("production/x.", in: store, at: store.clock()))
    }
  }

  /// The catalog as it will be when what has just been stored is as old as its name says.
  private func aged(_ repository: BackupRepository) throws -> BackupCatalog {
    let catalog = try repository.catalog()
    let entries = catalog.entries.map {
      CatalogEntry(
        names: $0.names, state: $0.state, stored: $0.id.time, bytes: $0.bytes, dataKey: $0.dataKey)
    }
    return BackupCatalog(
      environment: catalog.environment, place: catalog.place, entries: entries,
      leftovers: catalog.leftovers, pins: catalog.pins)
  }
}
