import ByteStream
import ObjectStore
import Repository
import Testing

@Suite struct BackupCatalogTests {
  @Test func listsWhatHasAManifest() throws {
    try withStore { store in
      let one = try Sample.backup(store)
      let two = try Sample.backup(store, at: Sample.time.adding(days: 1))
      let other = try Sample.backup(store, "keycloak")
      let half = try Sample.names(at: Sample.time.adding(days: 2))
      try store.put(half.dataKey(encrypted: false), [1, 2, 3])
      try store.put("production/app/logical/README.txt", [1])
      try store.put("staging/app/logical/\(one.id).json", [1])

      let repository = BackupRepository(store, environment: "production")
      let catalog = try repository.catalog()
      #expect(catalog.entries.map(\.names) == [one, two, other])
      #expect(catalog.entries.allSatisfy { $0.isWhole })
      #expect(catalog.databases == ["app", "keycloak"])
      #expect(catalog.leftovers.map(\.names) == [half])
      #expect(catalog.leftovers.map(\.bytes) == [3])
      #expect(try repository.catalog(database: "keycloak").entries.map(\.names) == [other])
      #expect(try repository.catalog(database: "key").entries.isEmpty)
    }
  }

  @Test func unfinishedWritesAreLeftovers() throws {
    try withStore { store in
      let names = try Sample.names()
      let sink = try store.writer(names.dataKey(encrypted: true))
      try sink.write([1, 2, 3])
      let catalog = try BackupRepository(store, environment: "production").catalog()
      #expect(catalog.entries.isEmpty)
      #expect(catalog.leftovers.map(\.names) == [names])
      sink.abort()
    }
  }

  @Test func saysWhatIsWrongWithABackup() throws {
    try withStore { store in
      let repository = BackupRepository(store, environment: "production")
      func add(_ day: Int) throws -> BackupNames {
        try Sample.backup(store, at: Sample.time.adding(days: day))
      }
      let missing = try add(0)
      try store.delete(missing.dataKey(encrypted: false))
      let short = try add(1)
      try store.put(short.dataKey(encrypted: false), [1])
      let garbled = try add(2)
      try store.put(garbled.manifestKey, Array("{".utf8))
      let newer = try add(3)
      try store.put(newer.manifestKey, Array("{\"format\": 9}".utf8))
      let swapped = try add(4)
      try store.put(swapped.manifestKey, try store.readAll(short.manifestKey, limit: 10000))
      let partial = try Sample.backup(store, at: Sample.time.adding(days: 5), partial: true)

      let catalog = try repository.catalog()
      #expect(catalog.entries.map(\.names) == [missing, short, garbled, newer, swapped, partial])
      #expect(catalog.entries.allSatisfy { !$0.isWhole })
      let problems = catalog.entries.map { $0.problem ?? "" }
      #expect(problems[0].contains("is missing"))
      #expect(problems[1].contains("is cut short: 1 of 100 bytes"))
      #expect(problems[2].contains("not a manifest"))
      #expect(problems[3].contains("newer pgkeep"))
      #expect(problems[4].contains("lies where"))
      #expect(problems[5].isEmpty)
      #expect(code { _ = try catalog.resolve("latest") } == .noBackup)
    }
  }

  @Test func latestIsTheNewestWholeOne() throws {
    let entries = [
      try Sample.entry(at: Sample.time), try Sample.entry(at: Sample.time.adding(days: 1)),
      try Sample.entry(at: Sample.time.adding(days: 2), problem: "missing"),
      try Sample.entry(at: Sample.time.adding(days: 3), partial: true),
    ]
    let catalog = Sample.catalog(entries.shuffled())
    #expect(try catalog.resolve("latest") == entries[1])
    #expect(try catalog.resolve("latest", database: "app") == entries[1])
  }

  @Test func severalDatabasesAreNamed() throws {
    let catalog = Sample.catalog([
      try Sample.entry("app", at: Sample.time), try Sample.entry("keycloak", at: Sample.time),
    ])
    #expect(try catalog.resolve("latest", database: "keycloak").database == "keycloak")
    do {
      _ = try catalog.resolve("latest")
      Issue.record("chose one")
    } catch let error as RepositoryError {
      #expect(error.code == .ambiguous)
      #expect(error.message.contains("app, keycloak"))
    }
  }

  @Test func resolvesNamesAndBeginnings() throws {
    let entries = try (0..<5).map { try Sample.entry(at: Sample.time.adding(days: $0)) }
    let catalog = Sample.catalog(entries)
    for entry in entries {
      #expect(try catalog.resolve(entry.id.description) == entry)
      #expect(try catalog.resolve(entry.id.digits) == entry)
      #expect(try catalog.resolve(String(entry.id.description.prefix(8))) == entry)
    }
    #expect(code { _ = try catalog.resolve("2026112") } == .ambiguous)
    #expect(code { _ = try catalog.resolve("2027") } == .noBackup)
    #expect(code { _ = try catalog.resolve("2026", database: "other") } == .noBackup)
    #expect(code { _ = try Sample.catalog([]).resolve("latest") } == .noBackup)
  }

  @Test func proofsStandBesideTheirBackups() throws {
    try withStore { store in
      let repository = BackupRepository(store, environment: "production")
      let names = try Sample.backup(store)
      func proof(_ hour: Int64, passed: Bool) -> Proof {
        Proof(
          of: names, kind: .deep, time: Sample.time.adding(seconds: hour * 3600), tool: "0.1.0",
          passed: passed, findings: passed ? [] : ["member 3 is damaged"], tables: 2, rows: 42,
          bytes: 100, seconds: 0.5)
      }
      try repository.writeProof(proof(1, passed: false))
      try repository.writeProof(proof(2, passed: true))
      try repository.writeProof(proof(3, passed: false))
      let entry = try repository.catalog().resolve("latest")
      #expect(entry.newestProof == proof(3, passed: false))
      #expect(entry.newestPassedProof == proof(2, passed: true))
    }
  }
}
