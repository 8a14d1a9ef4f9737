import ObjectStore
import Repository
import Testing

@Suite struct LayoutTests {
  @Test func putsTheManifestBesideItsData() throws {
    let id = try #require(BackupID("20261122T020000Z-3f9a1c2b"))
    let names = BackupNames(environment: "production", database: "app", id: id)
    #expect(names.manifestKey == "production/app/logical/20261122T020000Z-3f9a1c2b.json")
    #expect(
      names.dataKey(encrypted: false) == "production/app/logical/20261122T020000Z-3f9a1c2b.sql.gz")
    #expect(names.dataKey(encrypted: true) == names.dataKey(encrypted: false) + ".age")
  }

  @Test(arguments: [
    ("app", "app"), ("My DB", "My%20DB"), ("a/b", "a%2Fb"), ("..", "%2E."),
    ("été", "%C3%A9t%C3%A9"),
    ("100%", "100%25"), (".x", "%2Ex"), ("a.b-c_d", "a.b-c_d"), ("tab\t", "tab%09"),
  ])
  func namesBecomeComponentsAndBack(_ name: String, _ component: String) throws {
    #expect(Layout.component(name) == component)
    #expect(Layout.name(ofComponent: component) == name)
    try ObjectKey.check(Layout.prefix(environment: name, database: name) + "x")
  }

  @Test func aDatabaseCalledClusterIsNotTheCluster() {
    #expect(Layout.prefix(environment: "e", database: "cluster") == "e/%63luster/")
    #expect(Layout.name(ofComponent: "%63luster") == "cluster")
  }
}

@Suite struct BackupIDTests {
  @Test func isWrittenAndRead() throws {
    let id = try BackupID(at: UTCTime(milliseconds: 1_795_312_800_999))
    #expect(id.description.hasPrefix("20261122T020000Z-"))
    #expect(BackupID(id.description) == id)
    #expect(id.time == UTCTime(seconds: 1_795_312_800))
    #expect(try BackupID(at: id.time) != id)
  }

  @Test(arguments: [
    "", "latest", "20261122T020000Z", "20261122T020000Z-3F9A1C2B", "20261122T020000Z-3f9a1c2",
    "20261122T020000Z-3f9a1c2b-x", "20261322T020000Z-3f9a1c2b", "2026-11-22T02:00:00Z-3f9a1c2b",
  ])
  func refusesOtherText(_ text: String) { #expect(BackupID(text) == nil) }

  @Test func sortsByTime() throws {
    let early = try BackupID(at: Sample.time)
    let late = try BackupID(at: Sample.time.adding(seconds: 1))
    #expect(early < late)
    #expect(early.description < late.description)
    // Also within a second, digits or not.
    for step in [1, 9, 300, 999] {
      let later = try BackupID(at: UTCTime(milliseconds: Sample.time.milliseconds + Int64(step)))
      #expect(early < later)
      #expect(early.description < later.description)
    }
  }

  @Test func answersToBeginnings() throws {
    let id = try #require(BackupID("20261122T020000Z-3f9a1c2b"))
    for text in ["2026", "20261122T02", "20261122T020000Z-3f9a1c2b", "3f9a", "3F9A"] {
      #expect(id.answers(to: text), "\(text)")
    }
    for text in ["", "2025", "9a1c", "20261122T020000Z-3f9a1c2bb"] {
      #expect(!id.answers(to: text), "\(text)")
    }
  }
}
