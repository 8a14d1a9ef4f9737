import ByteStream
import ObjectStore
import Repository
import Testing

@Suite struct PruneTests {
  @Test func deletesTheManifestBeforeTheData() throws {
    try withStore { directory in
      let now = try directory.clock()
      let old = try Sample.backup(directory, at: now.adding(days: -40))
      let new = try Sample.backup(directory, at: now.adding(days: -1))
      let store = RecordingStore(directory)
      let repository = BackupRepository(store, environment: "production")
      let plan = try plan(repository, now)
      #expect(plan.deletions.map(\.names) == [old])
      let outcome = try Prune(repository).run(plan)
      #expect(outcome.deleted == plan.deletions)
      #expect(outcome.refused.isEmpty)
      #expect(store.deleted.first == old.manifestKey)
      #expect(store.deleted.contains(old.dataKey(encrypted: false)))
      #expect(try repository.catalog().entries.map(\.names) == [new])
      #expect(try directory.list(prefix: "").count == 2)
    }
  }

  @Test func aRefusalIsSaidAndTheRestDone() throws {
    try withStore { directory in
      let now = try directory.clock()
      let locked = try Sample.backup(directory, at: now.adding(days: -50))
      let old = try Sample.backup(directory, at: now.adding(days: -40))
      try Sample.backup(directory, at: now)
      let store = RecordingStore(directory, refusing: [locked.manifestKey])
      let repository = BackupRepository(store, environment: "production")
      let outcome = try Prune(repository).run(try plan(repository, now))
      #expect(outcome.deleted.map(\.names) == [old])
      #expect(outcome.refused.map(\.line.names) == [locked])
      #expect(outcome.refused.first?.reason.contains("object lock") == true)
    }
  }

  @Test func stopsWhenTheKeptBackupIsGone() throws {
    try withStore { store in
      let now = try store.clock()
      let old = try Sample.backup(store, at: now.adding(days: -40))
      let new = try Sample.backup(store, at: now)
      let repository = BackupRepository(store, environment: "production")
      let plan = try plan(repository, now)
      try store.delete(new.dataKey(encrypted: false))
      #expect(code { _ = try Prune(repository).run(plan) } == .damaged)
      #expect(try store.info(old.manifestKey) != nil)
    }
  }

  @Test func aLeftoverThatBecameABackupStays() throws {
    try withStore { store in
      let now = try store.clock()
      let names = try Sample.names(at: now)
      try store.put(names.dataKey(encrypted: false), [UInt8](repeating: 1, count: 100))
      let repository = BackupRepository(store, environment: "production")
      let catalog = try repository.catalog()
      let later = try RetentionPlan(catalog, policy: .init(), now: now.adding(days: 8))
      #expect(later.deletions.count == 1)
      try repository.writeManifest(Sample.manifest(names))
      let outcome = try Prune(repository).run(later)
      #expect(outcome.deleted.isEmpty)
      #expect(outcome.refused.count == 1)
      #expect(try repository.catalog().entries.map(\.names) == [names])
    }
  }

  @Test func oldLeftoversGo() throws {
    try withStore { store in
      let now = try store.clock()
      let names = try Sample.names(at: now)
      try store.put(names.dataKey(encrypted: false), [1])
      let sink = try store.writer(try Sample.names(at: now).dataKey(encrypted: true))
      try sink.write([1])
      let repository = BackupRepository(store, environment: "production")
      let catalog = try repository.catalog()
      let later = try RetentionPlan(catalog, policy: .init(), now: now.adding(days: 8))
      #expect(try Prune(repository).run(later).deleted.count == 2)
      #expect(try store.list(prefix: "").isEmpty)
      #expect(try store.unfinished(prefix: "").isEmpty)
      sink.abort()
    }
  }

  @Test func clocksThatDifferStopIt() throws {
    try withStore { store in
      let now = try store.clock()
      try Sample.backup(store, at: now)
      let prune = Prune(BackupRepository(store, environment: "production"))
      _ = try prune.plan(policy: .init(), hostTime: now.adding(seconds: 60))
      #expect(
        code { _ = try prune.plan(policy: .init(), hostTime: now.adding(days: 2)) } == .clock)
    }
  }

  /// The plan as it will be when what has just been stored is as old as its name says.
  private func plan(_ repository: BackupRepository, _ now: UTCTime) throws -> RetentionPlan {
    let catalog = try repository.catalog()
    let aged = catalog.entries.map {
      CatalogEntry(
        names: $0.names, state: $0.state, stored: $0.id.time, bytes: $0.bytes, dataKey: $0.dataKey)
    }
    return try RetentionPlan(
      Sample.catalog(aged, leftovers: catalog.leftovers), policy: .init(), now: now)
  }
}
