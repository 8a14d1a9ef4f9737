import Foundation
import Repository
import TestSupport
import Testing

/// The nightly job and the deploy hook, from the first migration to the restored database.
@Suite struct MainJobTests {
  @Test func migrateBackUpListShowRestoreAndGoBack() throws {
    let bench = try Bench(rows: 3000)
    let folder = try TestDirectory()
    try folder.write("CREATE TABLE shop.coupons (code text PRIMARY KEY);\n", to: "1_coupons.up.sql")
    try folder.write("DROP TABLE shop.coupons;\n", to: "1_coupons.down.sql")
    try bench.migrate("up", "--dir", folder.path).expectSuccess()

    let run = try bench.backup("run", "--json")
    run.expectSuccess()
    let id = try #require(try run.json()["id"] as? String)
    #expect(try run.json()["tables"] as? Int ?? 0 >= 3)
    let second = try bench.backup("run")
    second.expectSuccess()
    #expect(second.text.hasPrefix("Backed up \(bench.database.name) as "))

    let backups = try #require(
      try bench.backup("list", "--json").json()["backups"] as? [[String: Any]])
    #expect(backups.count == 2)
    #expect(backups.allSatisfy { $0["state"] as? String == "complete" })
    let show = try bench.backup("show", id)
    #expect(show.text.contains("shop.orders"))

    let restore = try bench.restore("latest", "--verify", "--json")
    restore.expectSuccess()
    let report = try restore.json()
    #expect(report["verified"] as? Bool == true)
    #expect(try bench.contents(of: bench.target) == bench.contents(of: bench.database.name))

    let back = try bench.migrate("down", "-1", directory: folder.path)
    back.expectSuccess()
    #expect(try bench.database.psql("SELECT to_regclass('shop.coupons')") == "")
    #expect(
      try bench.cluster.psql("SELECT to_regclass('shop.coupons')", database: bench.target) != "")
    try bench.expectNoSecretInStore()
    try bench.expectNoSessions()
  }

  @Test func aBackupRestoresWithNothingButGunzipAndPsql() throws {
    let bench = try Bench()
    try bench.backup("run").expectSuccess()
    let copy = try bench.cluster.createDatabase(named: "by_hand")
    let shell = try Command.run(
      "/bin/sh",
      [
        "-c",
        "gunzip -c \(try bench.newestFile()) | \(bench.cluster.binaries)/psql -X -q "
          + "-v ON_ERROR_STOP=1 '\(copy.socketURL)'",
      ])
    #expect(shell.exitCode == 0, "\(shell.errorText)")
    #expect(try bench.contents(of: copy.name) == bench.contents(of: bench.database.name))
  }

  @Test func restoresAFileAndStandardInput() throws {
    let bench = try Bench()
    try bench.backup("run").expectSuccess()
    let file = try bench.newestFile()
    try bench.restore(file, "--verify").expectSuccess()
    #expect(try bench.contents(of: bench.target) == bench.contents(of: bench.database.name))

    let piped = try Command.run(
      "/bin/sh", ["-c", "\(BuiltExecutable.restore) - --replace < \(file)"],
      environment: bench.variables)
    #expect(piped.exitCode == 0, "\(piped.errorText)")
    #expect(try bench.contents(of: bench.target) == bench.contents(of: bench.database.name))
    // The one before stays.
    #expect(try bench.restored().count == 2)
  }

  @Test func restoresOneTable() throws {
    let bench = try Bench(rows: 100)
    try bench.backup("run").expectSuccess()
    let restore = try bench.restore("latest", "--table", "shop.customers", "--verify", "--json")
    restore.expectSuccess()
    let tables = try #require(try restore.json()["tables"] as? [[String: Any]])
    #expect(tables.compactMap { $0["name"] as? String } == ["shop.customers"])
    #expect(
      try bench.cluster.psql(
        "SELECT count(*), to_regclass('shop.orders') IS NULL FROM shop.customers",
        database: bench.target) == "100|t")
    try bench.restore("latest", "--replace", "--table", "shop.no_such").expectFailure(2)
  }

  @Test func anExistingDatabaseIsLeftAloneUnlessReplaced() throws {
    let bench = try Bench()
    try bench.backup("run").expectSuccess()
    try bench.restore("latest").expectSuccess()
    try bench.cluster.psql("DELETE FROM shop.orders", database: bench.target)
    try bench.restore("latest").expectFailure(1, "--replace")
    #expect(
      try bench.cluster.psql("SELECT count(*) FROM shop.orders", database: bench.target) == "0")
    try bench.restore("latest", "--replace").expectSuccess()
    #expect(try bench.contents(of: bench.target) == bench.contents(of: bench.database.name))
    #expect(try bench.restored().count == 2)
    try bench.restore("latest", "--replace", "--into-empty").expectUsageError()
  }

  @Test func restoresIntoAnEmptyDatabase() throws {
    let bench = try Bench()
    try bench.backup("run").expectSuccess()
    try bench.cluster.psql("CREATE DATABASE \(bench.target)")
    try bench.restore("latest", "--into-empty").expectSuccess()
    #expect(try bench.contents(of: bench.target) == bench.contents(of: bench.database.name))
    // It is not empty any more.
    try bench.restore("latest", "--into-empty").expectFailure(1)
  }

  @Test func anotherServerUnderTheSameNameIsRefusedUnlessAdopted() throws {
    let bench = try Bench(rows: 10)
    try bench.backup("run").expectSuccess()
    let other = try TemporaryCluster()
    try other.psql("CREATE DATABASE \(bench.database.name)")
    let backup = bench.backup.with(["DATABASE_URL": other.url(bench.database.name)])
    try backup("run").expectFailure(1, "--adopt")
    #expect(try bench.repository.catalog().entries.count == 1)
    try backup("run", "--adopt").expectSuccess()
    try backup("run").expectSuccess()
  }
}

extension Tool.Outcome {
  func expectUsageError(_ location: SourceLocation = #_sourceLocation) {
    #expect(code == 2, sourceLocation: location)
    #expect(text.isEmpty, sourceLocation: location)
  }
}
