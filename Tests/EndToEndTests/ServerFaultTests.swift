import Foundation
import Glibc
import Repository
import TestSupport
import Testing

/// What goes wrong with the database server: one clear error, its exit code, nothing reported as
/// done, and the same command succeeds later.
@Suite struct ServerFaultTests {
  @Test func noSuchDatabase() throws {
    let bench = try Bench(rows: 10)
    let missing = ["DATABASE_URL": bench.url("no_such_database")]
    try bench.backup.with(missing)("run").expectFailure(8, "no_such_database")
    try bench.migrate.with(missing)("status").expectFailure(8, "no_such_database")
    #expect(try bench.repository.catalog().entries.isEmpty)
    try bench.backup("run").expectSuccess()
  }

  @Test func noServer() throws {
    let bench = try Bench(rows: 10)
    try bench.backup("run").expectSuccess()
    let port = try LoopbackPort.free()
    let dead = [
      "DATABASE_URL": bench.url(bench.database.name, port: port),
      "RESTORE_URL": bench.url(bench.target, port: port),
    ]
    let place = "127.0.0.1:\(port)"
    try bench.backup.with(dead)("run").expectFailure(1, place)
    try bench.restore.with(dead)("latest").expectFailure(1, place)
    try bench.migrate.with(dead)("up", directory: ProjectRoot.path).expectFailure(1, place)
    #expect(try bench.repository.catalog().entries.count == 1)
    try bench.restore("latest").expectSuccess()
  }

  @Test func wrongPassword() throws {
    let bench = try Bench(rows: 10)
    try bench.backup("run").expectSuccess()
    let cluster = try TemporaryCluster(15, ClusterOptions(password: "the right one"))
    let wrong = cluster.url("postgres", password: Bench.secret)
    let variables = ["DATABASE_URL": wrong, "RESTORE_URL": wrong]
    try bench.backup.with(variables)("run").expectFailure(8, "password")
    try bench.restore.with(variables)("latest", "--replace").expectFailure(8, "password")
    try bench.migrate.with(variables)("up", directory: ProjectRoot.path)
      .expectFailure(8, "password")
    #expect(try bench.repository.catalog().entries.count == 1)
  }

  @Test func missingPermission() throws {
    let bench = try Bench(rows: 10)
    let plain = TemporaryCluster.uniqueName("plain")
    try bench.cluster.psql("CREATE ROLE \(plain) LOGIN")
    func url(_ database: String) -> String {
      "postgresql://\(plain):\(Bench.secret)@127.0.0.1:\(bench.cluster.port)/\(database)"
    }
    // A table that it may not read: named, and no backup without it.
    let backup = bench.backup.with(["DATABASE_URL": url(bench.database.name)])
    try backup("run").expectFailure(8, "shop")
    #expect(try bench.repository.catalog().entries.isEmpty)
    #expect(try bench.repository.catalog().leftovers.isEmpty)
    try bench.database.psql(
      "GRANT USAGE ON SCHEMA shop TO \(plain); "
        + "GRANT SELECT ON ALL TABLES IN SCHEMA shop TO \(plain); "
        + "GRANT SELECT ON ALL SEQUENCES IN SCHEMA shop TO \(plain)")
    try backup("run").expectSuccess()

    // A database that it may not make.
    let restore = bench.restore.with(["RESTORE_URL": url(bench.target)])
    try restore("latest").expectFailure(8, "--into-empty")
    #expect(try bench.restored().isEmpty)
    try bench.cluster.psql("CREATE DATABASE \(bench.target) OWNER \(plain)")
    try restore("latest", "--into-empty", "--no-owner", "--no-privileges").expectSuccess()
    #expect(try bench.contents(of: bench.target) == bench.contents(of: bench.database.name))

    // A schema that it may not make.
    try bench.migrate.with(["DATABASE_URL": url(bench.database.name)])(
      "up", directory: ProjectRoot.path
    ).expectFailure(8, "schema pgkeep")
  }

  @Test func aLockThatSomebodyHolds() throws {
    let bench = try Bench(rows: 10)
    let holder = try bench.holdLock()
    defer { holder.kill() }
    try bench.backup("run", "--lock-wait", "1").expectFailure(6, "shop.orders")
    #expect(try bench.repository.catalog().entries.isEmpty)
    try bench.expectNoSessions()
    try bench.release(holder)
    try bench.backup("run").expectSuccess()
  }

  @Test func aConnectionThatBreaksInTheMiddle() throws {
    let bench = try Bench(rows: 40_000)
    let proxy = try FaultProxy(to: bench.cluster.port)
    proxy.set(.cutAfterBytesToClient(600_000))
    let variables = ["DATABASE_URL": bench.url(bench.database.name, port: proxy.port)]
    try bench.backup.with(variables)("run", "--jobs", "2").expectFailure(1)
    #expect(proxy.cuts > 0)
    #expect(try bench.repository.catalog().entries.isEmpty)
    try bench.expectNoSessions()
    proxy.set(.none)
    try bench.backup.with(variables)("run", "--jobs", "2").expectSuccess()

    proxy.set(.cutAfterBytesToServer(600_000))
    let restore = bench.restore.with(["RESTORE_URL": bench.url(bench.target, port: proxy.port)])
    try restore("latest").expectFailure(1)
    #expect(try !bench.restored().contains(bench.target))
    try bench.expectNoSessions()
    proxy.set(.none)
    try restore("latest", "--verify").expectSuccess()
  }
}
