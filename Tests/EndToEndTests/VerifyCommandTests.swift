import Foundation
import Repository
import TestSupport
import Testing

/// `backup verify` as a person and a monitor run it.
@Suite struct VerifyCommandTests {
  @Test func oneAllAndTheNewestOfEach() throws {
    let bench = try Bench(rows: 10)
    try bench.backup("run").expectSuccess()
    let old = try #require(try bench.repository.catalog().entries.last?.id)
    try bench.backup("run").expectSuccess()

    #expect(try bench.backup("verify").text.contains("is sound: 110 rows in 2 tables"))
    #expect(try bench.backup("list").text.contains("verified just now: 2 tables, 110 rows"))
    // It has left a mark for prunes meanwhile.
    let database = try #require(try bench.directory.names(in: "default").first)
    #expect(try bench.directory.names(in: "default/\(database)/pins").isEmpty)
    #expect(try bench.backup("verify", "--newest").text.split(separator: "\n").count == 1)
    let all = try bench.backup("verify", "--all", "--json").json()
    let backups = try #require(all["backups"] as? [[String: Any]])
    #expect(backups.count == 2 && backups.allSatisfy { $0["passed"] as? Bool == true })

    // One that is broken spoils --all, and the newest is still sound.
    let broken = try #require(try bench.repository.catalog().resolve("\(old)").dataKey)
    try FileManager.default.removeItem(atPath: bench.directory.file(broken))
    try bench.backup("verify", "--all").expectFailure(4, "1 of 2 backups are damaged")
    try bench.backup("verify", "--newest").expectSuccess()
    try bench.backup("verify", "latest", "--all").expectFailure(2, "--newest")
    try bench.backup("verify", "--scratch", bench.url("postgres")).expectFailure(2, "--deep")
  }

  @Test func anEncryptedOneWithItsKey() throws {
    let bench = try Bench(rows: 10)
    let keys = try TestDirectory()
    let made = try bench.backup("keygen", keys.file("key"), "--json")
    let recipient = try #require(try made.json()["public_key"] as? String)
    try bench.backup("run", "--recipient", recipient).expectSuccess()
    try bench.backup("verify").expectFailure(8, "BACKUP_AGE_IDENTITY_FILE")
    try bench.backup("verify", "--identity", keys.file("key")).expectSuccess()
    #expect(try bench.backup("list").text.contains("encrypted, verified just now"))
  }

  @Test func deepRestoresComparesAndLeavesNothing() throws {
    let bench = try Bench(rows: 10)
    try bench.backup("run").expectSuccess()
    let deep = try bench.backup("verify", "--deep", "--json")
    deep.expectSuccess()
    #expect(try deep.json()["kind"] as? String == "deep")
    #expect(try bench.backup("list").text.contains("deeply verified just now"))
    #expect(try bench.restored().isEmpty)

    // A server where nobody may make a database is no fault of the backup.
    let plain = TemporaryCluster.uniqueName("plain")
    try bench.cluster.psql("CREATE ROLE \(plain) LOGIN")
    let url = "postgresql://\(plain)@127.0.0.1:\(bench.cluster.port)/postgres"
    try bench.backup("verify", "--deep", "--scratch", url).expectFailure(8, "may not create")
    #expect(try bench.backup("list").text.contains("verified just now"))
  }
}
