import Foundation
import TestSupport
import Testing

@Suite struct TemporaryClusterTests {
  @Test func allFourMajorsAreInstalled() {
    #expect(TemporaryCluster.installedMajors.filter((15...18).contains) == [15, 16, 17, 18])
  }

  @Test(arguments: TemporaryCluster.installedMajors)
  func startsAndAnswers(major: Int) throws {
    let cluster = try TemporaryCluster.shared(major)
    let number = try #require(Int(try cluster.psql("SHOW server_version_num")))
    #expect(number / 10_000 == major)
    #expect(try cluster.check("pg_dump", ["--version"]).text.contains(" \(major)."))

    let database = try cluster.createDatabase(named: "odd \"name\"")
    try database.psql("CREATE TABLE t (x int); INSERT INTO t SELECT generate_series(1, 10)")
    #expect(
      try database.psql("SELECT count(*), current_database() FROM t") == "10|\(database.name)")
    #expect(try database.dump().contains("CREATE TABLE public.t"))
    let overTCP = try cluster.check("psql", ["-XAtc", "SELECT sum(x) FROM t", "-d", database.url])
    #expect(overTCP.text == "55\n")
    try database.drop()
    #expect(throws: TestSupportError.self) { try database.psql("SELECT 1") }
  }

  @Test(arguments: [15, 17, 18])
  func hasContrib(major: Int) throws {
    let database = try TemporaryCluster.shared(major).createDatabase()
    try database.psql("CREATE EXTENSION hstore; CREATE EXTENSION pg_trgm; CREATE EXTENSION citext")
  }

  @Test func makesDatabasesInOtherEncodings() throws {
    let database = try TemporaryCluster.shared(15).createDatabase(encoding: "LATIN1")
    #expect(try database.psql("SHOW server_encoding") == "LATIN1")
  }

  @Test func takesSettingsPasswordAndTLS() throws {
    let options = ClusterOptions(
      settings: ["max_connections": "17", "log_line_prefix": "it's"], password: "s3cret /&word",
      tls: true, tlsRequired: true)
    let cluster = try TemporaryCluster(15, options)
    #expect(try cluster.psql("SHOW max_connections; SHOW log_line_prefix") == "17\nit's")
    let query = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
    let verified =
      cluster.url() + "?sslmode=verify-full&sslrootcert=" + cluster.certificate
    #expect(try cluster.check("psql", ["-XAtc", query, "-d", verified]).text == "t\n")
    let plain = try cluster.run("psql", ["-XAtc", query, "-d", cluster.url() + "?sslmode=disable"])
    #expect(plain.errorText.contains("pg_hba.conf rejects connection"))
    let wrong = try cluster.run("psql", ["-XAtc", query, "-d", cluster.url(password: "wrong")])
    #expect(wrong.errorText.contains("password authentication failed"))
  }

  @Test func stopsCrashesAndStartsAgain() throws {
    let cluster = try TemporaryCluster(15)
    try cluster.psql("CREATE TABLE t AS SELECT 1 AS x; CHECKPOINT")
    try cluster.stop()
    #expect(!cluster.isRunning)
    #expect(throws: TestSupportError.self) { try cluster.psql("SELECT 1") }
    try cluster.start()
    try cluster.crash()
    try cluster.start()
    #expect(try cluster.psql("SELECT x FROM t") == "1")
  }

  @Test func isGoneWithItsLastReference() throws {
    var cluster: TemporaryCluster? = try TemporaryCluster(15)
    let directory = try #require(cluster?.dataDirectory)
    let pid = try #require(cluster?.pid)
    cluster = nil
    #expect(!FileManager.default.fileExists(atPath: directory))
    #expect(!FileManager.default.fileExists(atPath: "/proc/\(pid)"))
  }
}
