import Foundation
import TestSupport
import Testing

/// `scripts/quickstart`, with the executables that were built with the tests.
@Suite(.serialized) struct QuickstartTests {
  private func run(_ environment: [String: String] = [:]) throws -> CommandResult {
    try Command.run(
      ProjectRoot.path + "/scripts/quickstart", ["--executables", BuiltExecutable.directory],
      environment: environment, timeout: .seconds(600))
  }

  private static let steps = [
    "migrate up", "Fill the tables", "backup run", "restore latest --verify",
    "Compare the copy with the original", "migrate down -1 && migrate up", "migrate history",
  ]

  @Test func makesItsOwnServerAndLeavesNothingRunning() throws {
    for _ in 1...2 {
      let result = try run()
      #expect(result.exitCode == 0, "\(result.text.suffix(3000))\n\(result.errorText)")
      let proof = try #require(
        result.text.split(separator: "\n").last { $0.contains(" tables identical") })
      #expect(try #require(Int(proof.prefix { $0 != " " })) >= 19)
      let closing = try #require(result.text.range(of: "\nDone in "))
      for step in Self.steps {
        #expect(result.text[closing.upperBound...].contains(step), "\(step)")
      }

      let server = try #require(result.text.firstMatch(of: /PostgreSQL 15.* in (\/tmp\/[^\n]+)/)).1
      #expect(!FileManager.default.fileExists(atPath: String(server)))
      for pid in try FileManager.default.contentsOfDirectory(atPath: "/proc") {
        let words = FileManager.default.contents(atPath: "/proc/\(pid)/cmdline") ?? Data()
        #expect(!String(decoding: words, as: UTF8.self).contains(server))
      }
    }
  }

  @Test func usesTheGivenServerAndStoreAndLeavesThemAsTheyWere() throws {
    let cluster = try TemporaryCluster(15, ClusterOptions(password: "p@ss/w:rd%"))
    try cluster.psql("CREATE DATABASE mine")
    try cluster.psql("CREATE SCHEMA app; CREATE TABLE app.users (x int)", database: "mine")
    let before = try cluster.check("pg_dumpall").text
    let server = try S3Server.shared(.seaweedFS)
    let bucket = try server.createBucket()

    let url = cluster.url("mine").replacingOccurrences(
      of: "postgresql:", with: "postgresql+psycopg2:")
    let given = ["DATABASE_URL": url, "BACKUP_STORE": "s3://\(bucket)/a/b"]
    let result = try run(server.environment.merging(given) { $1 })
    #expect(result.exitCode == 0, "\(result.text.suffix(3000))\n\(result.errorText)")
    #expect(!(result.text + result.errorText).contains("p@ss"))
    #expect(!(result.text + result.errorText).contains("p%40ss"))

    func withoutKey(_ dump: String) -> [Substring] {
      dump.split(separator: "\n").filter { !$0.contains("restrict ") && !$0.contains("SCRAM-SHA") }
    }
    #expect(withoutKey(try cluster.check("pg_dumpall").text) == withoutKey(before))
    let keys = try server.python(
      """
      for o in s3.list_objects_v2(Bucket='\(bucket)')['Contents']: print(o['Key'])
      """
    ).split(separator: "\n")
    #expect(keys.count >= 2)
    #expect(keys.allSatisfy { $0.hasPrefix("a/b/quickstart-") })
  }
}
