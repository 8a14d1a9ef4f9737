import ObjectStore
import Repository
import Testing

@Suite struct BackupRepositoryTests {
  @Test func writesNoManifestWithoutItsData() throws {
    try withStore { store in
      let repository = BackupRepository(store, environment: "production")
      let names = try Sample.names()
      #expect(code { try repository.writeManifest(Sample.manifest(names)) } == .damaged)
      try store.put(names.dataKey(encrypted: false), [1, 2])
      #expect(code { try repository.writeManifest(Sample.manifest(names)) } == .damaged)
      #expect(try repository.catalog().entries.isEmpty)
    }
  }

  @Test func aManifestIsNeverReplaced() throws {
    try withStore { store in
      let repository = BackupRepository(store, environment: "production")
      let names = try Sample.backup(store)
      #expect(throws: ObjectStoreError.self) {
        try repository.writeManifest(Sample.manifest(names))
      }
    }
  }

  @Test func anotherServerIsRefused() throws {
    try withStore { store in
      let repository = BackupRepository(store, environment: "production")
      try repository.checkServer(systemIdentifier: "7001", database: "app")
      try Sample.backup(store, server: "7001")
      try Sample.backup(store, at: Sample.time.adding(days: 1), server: nil)
      try repository.checkServer(systemIdentifier: "7001", database: "app")
      try repository.checkServer(systemIdentifier: nil, database: "app")
      try repository.checkServer(systemIdentifier: "7002", database: "other")
      #expect(
        code { try repository.checkServer(systemIdentifier: "7002", database: "app") }
          == .otherServer)
    }
  }

  @Test func anEmptyEnvironmentIsTheDefaultOne() throws {
    try withStore { store in
      #expect(BackupRepository(store, environment: "").environment == "default")
    }
  }
}
