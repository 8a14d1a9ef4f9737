import Foundation
import Migrations
import Postgres
import TestSupport
import Testing

@Suite struct AdoptingTests {
  static let three: KeyValuePairs<String, (String, String)> = [
    "1_a": ("CREATE TABLE a (i int);", "DROP TABLE a;"),
    "2_b": ("CREATE TABLE b (i int);", "DROP TABLE b;"),
    "3_c": ("CREATE TABLE c (i int);", "DROP TABLE c;"),
  ]

  @Test func aBaselineIsTakenForAppliedAndNotTakenBack() throws {
    let fixture = try Fixture()
    let migrator = try fixture.migrator()
    let files = try Fixture.files(Self.three)
    try fixture.database.psql("CREATE TABLE a (i int); CREATE TABLE b (i int)")
    #expect(try migrator.baseline(files, at: version("2")).map(\.title) == ["1_a", "2_b"])
    #expect(try migrator.baseline(files, at: version("2")).isEmpty)
    #expect(try migrator.up(files).map(\.step.title) == ["3_c"])
    #expect(try failure { try migrator.down(.steps(2)) }.code == .irreversible)
    #expect(try fixture.tables() == ["a", "b", "c"])
    try migrator.down(.steps(2), allowsIrreversible: true)
    #expect(try fixture.tables() == ["a"])
    #expect(try failure { try migrator.baseline(files, at: version("9")) }.code == .noSuchStep)
  }

  @Test func redoTakesBackAndAppliesTheFileAsItIs() throws {
    let fixture = try Fixture()
    let migrator = try fixture.migrator()
    try migrator.up(try Fixture.files(Self.three))
    let changed = try Fixture.files([
      "3_c": ("CREATE TABLE c (i int, j int);", "DROP TABLE c;")
    ])
    #expect(try migrator.redo(changed).map(\.step.direction) == [.down, .up])
    #expect(try fixture.database.psql("SELECT count(j) FROM c") == "0")
    let none = try Fixture.files(["1_a": Self.three[0].value])
    #expect(try failure { try migrator.redo(none) }.code == .noSuchStep)
    #expect(try migrator.current()?.title == "3_c")
  }

  @Test func repairTakesAPersonsWord() throws {
    let fixture = try Fixture()
    let migrator = try fixture.migrator()
    let files = try Fixture.files([
      "1_a": ("-- pgkeep: no-transaction\nCREATE TABLE a (i int);\nSELECT 1 / 0;", "DROP TABLE a;")
    ])
    #expect(try failure { try migrator.up(files) }.code == .unfinished)
    try migrator.repair(files, version("1"), isApplied: true)
    #expect(try migrator.status(files).lines.map(\.state) == [.applied])
    #expect(try migrator.up(files).isEmpty)
    try migrator.down(.steps(1))
    #expect(try fixture.tables() == [])
    #expect(try failure { try migrator.up(files) }.code == .unfinished)
    try fixture.database.psql("DROP TABLE a")
    try migrator.repair(nil, version("1"), isApplied: false)
    #expect(try migrator.status(files).lines.map(\.state) == [.pending])
    #expect(
      try failure { try migrator.repair(nil, version("7"), isApplied: true) }.code == .noSuchStep)
  }

  @Test func verifyFindsEachDifference() throws {
    let fixture = try Fixture()
    let migrator = try fixture.migrator()
    try migrator.up(
      try Fixture.files([
        "2_b": Self.three[1].value, "3_c": Self.three[2].value, "4_d": ("SELECT 4;", "SELECT 4;"),
        "5_e": ("SELECT 5;", "SELECT 5;"),
      ]))
    let now = try Fixture.files([
      "1_a": Self.three[0].value, "2_b": ("SELECT 2;", "DROP TABLE b;"),
      "3_c": ("CREATE TABLE c (i int);", "SELECT 1;"), "4_d": ("SELECT 4;", "SELECT 4;"),
      "6_f": ("SELECT 6;", "SELECT 6;"),
    ])
    let found = try migrator.verify(now).findings.map { "\($0.kind) \($0.title)" }
    #expect(found == ["outOfOrder 1_a", "changed 2_b", "downChanged 3_c", "missing 5_e"])
    #expect(try migrator.verify(now, wantsAllApplied: true).findings.count == 5)
    let broken = try Fixture.files(["1_a": ("SELECT 'open;", "SELECT 1;")])
    #expect(try failure { _ = try migrator.verify(broken) }.code == .invalidFiles)
    // A change that is meant is accepted by word.
    try migrator.repair(now, version("2"), isApplied: true)
    #expect(try !migrator.verify(now).findings.contains { $0.title == "2_b" })
  }

  @Test func eachTenantHasItsOwnHistory() throws {
    let fixture = try Fixture()
    let migrator = try fixture.migrator()
    let files = try Fixture.files(Self.three)
    try fixture.database.psql(
      "CREATE SCHEMA tenant_a; CREATE SCHEMA tenant_b; CREATE SCHEMA tenantc")
    let tenants = try migrator.tenants(matching: "tenant_*")
    #expect(tenants.map(\.schema) == ["tenant_a", "tenant_b"])
    for tenant in tenants { try tenant.migrator.up(files) }
    try tenants[0].migrator.down(.steps(1))
    #expect(
      try fixture.database.psql(
        "SELECT string_agg(relnamespace::regnamespace || '.' || relname, ' ' ORDER BY 1) "
          + "FROM pg_class WHERE relkind = 'r' AND relname IN ('a', 'b', 'c')")
        == "tenant_a.a tenant_a.b tenant_b.a tenant_b.b tenant_b.c")
    #expect(try migrator.history().isEmpty)
    #expect(try tenants[1].migrator.history().count == 3)
    #expect(try failure { _ = try migrator.tenants(matching: "nobody*") }.code == .noSuchStep)
  }

  @Test func waitingEndsWhenTheDatabaseIsThere() throws {
    let fixture = try Fixture()
    let files = try Fixture.files(Self.three)
    try fixture.migrator().wait(limit: .seconds(5))
    #expect(try failure { try fixture.migrator().wait(files, limit: .zero) }.code == .drift)
    try fixture.migrator().up(files)
    try fixture.migrator().wait(files, limit: .zero)
    let port = try LoopbackPort.free()
    let nowhere = try fixture.migrator(url: "postgresql://postgres@127.0.0.1:\(port)/x")
    #expect(throws: PostgresError.self) { try nowhere.wait(limit: .milliseconds(300)) }
  }
}
