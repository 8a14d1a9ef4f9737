import Foundation
import Migrations
import Postgres
import TestSupport
import Testing

@Suite struct MigrationFilesTests {
  private func files(_ files: [String: String]) throws -> MigrationFiles {
    try MigrationFiles(files: files.map { ($0.key, Array($0.value.utf8)) }.sorted { $0.0 < $1.0 })
  }

  private func problems(_ given: [String: String]) -> [MigrationProblem] {
    do {
      _ = try files(given)
      return []
    } catch let error as MigrationsError {
      #expect(error.code == .invalidFiles)
      return error.problems
    } catch {
      Issue.record("\(error)")
      return []
    }
  }

  @Test func pairsAreInOrderOfVersionAsNumbers() throws {
    let files = try files([
      "10_b.up.sql": "SELECT 1;", "10_b.down.sql": "SELECT 1;",
      "0009_a.up.sql": "SELECT 1;", "0009_a.down.sql": "SELECT 1;",
      "README.md": "notes", ".hidden.sql": "x", "schema.sql": "x",
    ])
    #expect(files.migrations.map(\.title) == ["0009_a", "10_b"])
    #expect(files.migration(try #require(MigrationVersion("9")))?.name == "a")
    #expect(files.migration(try #require(MigrationVersion("11"))) == nil)
  }

  @Test func everyProblemIsNamedAtOnce() {
    let found = problems([
      "1_a.up.sql": "SELECT 1;",
      "2_b.up.sql": "SELECT 1;", "2_b.down.sql": "SELECT 1;",
      "002_c.up.sql": "SELECT 1;",
      "3_d.down.sql": "SELECT 1;",
      "4_e.up.sql": "  \n", "4_e.down.sql": "SELECT 1;",
      "x_f.up.sql": "SELECT 1;", "5.up.sql": "SELECT 1;", "6_g.sql": "SELECT 1;",
      "7_.up.sql": "SELECT 1;", "8_H.UP.SQL": "SELECT 1;",
      "9_i.up.sql": "-- pgkeep: no-transactions\nSELECT 1;", "9_i.down.sql": "SELECT 1;",
    ])
    let all = found.map(\.description).joined(separator: "\n")
    #expect(found.count == 10, "\(all)")
    #expect(all.contains("1_a.up.sql: the file that undoes it, 1_a.down.sql, is missing"))
    #expect(all.contains("2_b.up.sql: its version is there twice: see also 002_c.up.sql"))
    #expect(all.contains("3_d.down.sql: there is no .up.sql"))
    #expect(all.contains("4_e.up.sql: the file is empty"))
    #expect(all.contains("9_i.up.sql:1: unknown directive \"no-transactions\""))
    for name in ["x_f.up.sql", "5.up.sql", "6_g.sql", "7_.up.sql", "8_H.UP.SQL"] {
      #expect(found.contains { $0.file == name }, "\(name)")
    }
  }

  /// More than one thread reads so many.
  @Test func aThousandFilesOfAFolderAreAllReadInTheirOrder() throws {
    let folder = try TestDirectory()
    for version in 1...400 {
      try folder.write("SELECT \(version);", to: "\(version)_t.up.sql")
      try folder.write("SELECT -\(version);", to: "\(version)_t.down.sql")
    }
    let files = try MigrationFolder(folder.path).read()
    #expect(files.migrations.map(\.version.number) == Array(1...400))
    #expect(files.migrations.map(\.up.text.string) == (1...400).map { "SELECT \($0);" })
    #expect(files.migrations.map(\.down?.text.string) == (1...400).map { "SELECT -\($0);" })
  }

  @Test func anOverviewLeavesDownFilesUnread() throws {
    let fixture = try Fixture()
    let folder = try TestDirectory()
    try folder.write("SELECT 1;", to: "1_a.up.sql")
    try folder.write("SELECT 1;", to: "1_a.down.sql")
    try folder.write("SELECT 2;", to: "2_b.up.sql")
    try folder.write("SELECT 2;", to: "2_b.down.sql")
    try fixture.migrator().up(MigrationFolder(folder.path))
    try folder.write("SELECT \u{0};", to: "1_a.down.sql")
    try folder.write("SELECT 3;", to: "2_b.up.sql")
    let status = try fixture.migrator().status(FolderOverview(folder.path))
    #expect(status.lines.map(\.state) == [.applied, .changed])
    #expect(status.lines.allSatisfy { !$0.isDownChanged })
    // What runs them looks at them, and so does verify.
    #expect(throws: MigrationsError.self) { try MigrationFolder(folder.path).read() }
    // The names are looked at all the same.
    try folder.write("SELECT 3;", to: "3_c.up.sql")
    #expect(throws: MigrationsError.self) {
      try fixture.migrator().status(FolderOverview(folder.path))
    }
  }

  @Test func lineEndsAndByteOrderMarkDoNotMatter() throws {
    let plain = try files(["1_a.up.sql": "SELECT 1;\nSELECT 2;\n", "1_a.down.sql": "SELECT 1;"])
    let other = try files([
      "1_a.up.sql": "\u{FEFF}SELECT 1;\r\nSELECT 2;\r\n", "1_a.down.sql": "SELECT 1;",
    ])
    let changed = try files(["1_a.up.sql": "SELECT 1;\nSELECT 3;\n", "1_a.down.sql": "SELECT 1;"])
    #expect(plain.migrations[0].up.checksum == other.migrations[0].up.checksum)
    #expect(plain.migrations[0].up.text == other.migrations[0].up.text)
    #expect(plain.migrations[0].up.checksum != changed.migrations[0].up.checksum)
    #expect(plain.migrations[0].up.checksum.utf8.count == 64)
  }

  @Test func textThatIsNotUTF8IsNamedWithItsLine() {
    do {
      _ = try MigrationFiles(files: [
        ("1_a.up.sql", Array("SELECT 1;\n-- f".utf8) + [0xFC] + Array("r\n".utf8)),
        ("1_a.down.sql", [0xFF, 0xFE, 0x41, 0x00]),
      ])
      Issue.record("no error")
    } catch {
      #expect(error.problems.map(\.line) == [1, 2])
    }
  }

  @Test func directivesStandAtTheTop() throws {
    let files = try files([
      "1_a.up.sql": """
      -- Makes an index.

      -- pgkeep: no-transaction
      --pgkeep: lock-timeout 5s
      -- pgkeep: irreversible the old values are gone
      CREATE INDEX CONCURRENTLY i ON t (a);
      -- pgkeep's own tables are not touched
      """
    ])
    let up = files.migrations[0].up
    #expect(
      up.directives == [
        .noTransaction, .lockTimeout(milliseconds: 5000),
        .irreversible(reason: "the old values are gone"),
      ])
    #expect(!up.isTransactional)
    #expect(files.migrations[0].down == nil)
  }

  @Test(arguments: [
    ("SELECT 1;\n-- pgkeep: no-transaction\n", 2), ("-- PGKEEP: no-transaction\nSELECT 1;", 1),
    ("-- pgkeep no-transaction\nSELECT 1;", 1), ("-- pgkeep:\nSELECT 1;", 1),
    ("-- pgkeep: irreversible\nSELECT 1;", 1), ("-- pgkeep: lock-timeout 5\nSELECT 1;", 1),
    ("-- pgkeep: lock-timeout 0s\nSELECT 1;", 1), ("-- pgkeep: env 1A\nSELECT 1;", 1),
    ("-- pgkeep: no-transaction\n\n-- pgkeep: no-transaction\nSELECT 1;", 3),
  ])
  func aDirectiveGoneWrongIsAnErrorWithItsLine(_ text: String, _ line: Int) {
    let found = problems(["1_a.up.sql": text, "1_a.down.sql": "SELECT 1;"])
    #expect(found.first?.line == line, "\(text): \(found)")
  }

  @Test func repeatableFilesComeInAnOrderThatWorks() throws {
    let files = try files([
      "R__a.sql": "-- pgkeep: after c\nSELECT 1;", "R__b.sql": "SELECT 1;",
      "R__c.sql": "-- pgkeep: after d b\nSELECT 1;", "R__d.sql": "SELECT 1;",
    ])
    #expect(files.repeatables.map(\.name) == ["d", "b", "c", "a"])
    #expect(
      problems([
        "R__a.sql": "-- pgkeep: after b\nSELECT 1;", "R__b.sql": "-- pgkeep: after a\nSELECT 1;",
      ])
      .count == 1)
    #expect(problems(["R__a.sql": "-- pgkeep: after z\nSELECT 1;"]).count == 1)
  }

  @Test func aThousandFilesAreReadFast() throws {
    let folder = try TestDirectory()
    for number in 1...1000 {
      for (ending, text) in [("up", "CREATE TABLE t (a int);"), ("down", "DROP TABLE t;")] {
        let path = folder.file("\(number)_t.\(ending).sql")
        #expect(FileManager.default.createFile(atPath: path, contents: Data(text.utf8)))
      }
    }
    let started = ContinuousClock.now
    let files = try MigrationFiles(folder: folder.path)
    let time = ContinuousClock.now - started
    #expect(files.migrations.count == 1000)
    // Generous, for an unoptimised build on a busy machine.
    #expect(time < .seconds(30))
  }

  @Test func aFolderThatIsNotThereIsSaid() {
    #expect(throws: MigrationsError.self) { try MigrationFiles(folder: "/nowhere/migrations") }
  }

  @Test func newMakesBothFilesWithAVersionOfItsOwn() throws {
    let folder = try TestDirectory()
    let path = folder.file("migrations")
    let first = try NewMigration.create(name: "Add orders, please!", in: path, now: 1_700_000_000)
    let second = try NewMigration.create(name: "more", in: path, now: 1_700_000_000)
    #expect(first.up == path + "/20231114221320_Add_orders_please.up.sql")
    #expect(second.down == path + "/20231114221321_more.down.sql")
    #expect(FileManager.default.fileExists(atPath: first.down))
    #expect(throws: MigrationsError.self) { try NewMigration.create(name: "?!", in: path) }
  }
}
