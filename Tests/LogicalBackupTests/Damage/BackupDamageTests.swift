import Age
import ByteStream
import Foundation
import LogicalBackup
import Postgres
import Repository
import Synchronization
import TestSupport
import Testing

/// Each kind of damage is found, and told apart from the others, after the whole backup has passed.
@Suite struct BackupDamageTests {
  /// Made once; every test works on a copy.
  private static let stores = Mutex<[Bool: Result<StoredBackup, any Error>]>([:])

  private static func whole(encrypted: Bool) throws -> StoredBackup {
    try stores.withLock { stores in
      let made =
        stores[encrypted]
        ?? Result {
          let database = try TemporaryCluster.shared().createDatabase()
          defer { try? database.drop() }
          try database.psql(
            """
            CREATE TABLE big AS SELECT i AS id, md5(i::text) AS text
              FROM generate_series(1, 250000) i;
            CREATE TABLE small AS SELECT i AS id FROM generate_series(1, 3) i;
            """)
          return try StoredBackup(of: database, encrypted: encrypted)
        }
      stores[encrypted] = made
      return try made.get().copy()
    }
  }

  @Test(arguments: Damage.any + Damage.plain)
  func plain(_ damage: Damage) throws { try check(damage, encrypted: false) }

  @Test(arguments: Damage.any + Damage.encrypted)
  func encrypted(_ damage: Damage) throws { try check(damage, encrypted: true) }

  private func check(_ damage: Damage, encrypted: Bool) throws {
    let store = try Self.whole(encrypted: encrypted)
    #expect(try store.problem() == nil)
    try damage.apply(store)
    let problem = try #require(try store.problem(), "it was not noticed")
    #expect(problem.contains(damage.tells))
  }

  @Test func theWrongKeyIsNoDamage() throws {
    let store = try Self.whole(encrypted: true)
    let other = try AgeIdentity.generate()
    #expect(try store.problem(with: [other])?.contains("none of the 1 identities") == true)
    #expect(try store.problem(with: [])?.contains("no identity was given") == true)
    #expect(try store.repository.catalog().resolve("latest").newestProof == nil)
  }

  @Test func aProofThatCannotBeReadProvesNothing() throws {
    let store = try Self.whole(encrypted: false)
    #expect(try store.problem() == nil)
    let folder = "default/\(store.names.database)/proofs/\(store.names.id)"
    let name = try #require(try store.directory.names(in: folder).first)
    #expect(try store.repository.catalog().resolve("\(store.names.id)").newestProof?.passed == true)
    try store.directory.write("{\"passed\": true}", to: "\(folder)/\(name)")
    #expect(try store.repository.catalog().resolve("\(store.names.id)").newestProof == nil)
  }

  @Test func aDeepVerificationRestoresComparesAndLeavesNothing() throws {
    let store = try Self.whole(encrypted: true)
    let cluster = try TemporaryCluster.shared()
    let manifest = try #require(try store.repository.catalog().resolve("latest").manifest)
    let verifier = BackupVerifier(
      store.repository, identities: [store.identity], tool: "test", cancellation: Cancellation())
    let server = try ConnectionTarget(cluster.url("postgres"))
    let proof = try verifier.verifyDeep(manifest, on: server, RestoreOptions())
    #expect(proof.passed && proof.kind == .deep && proof.rows == 250_003)
    #expect(try store.repository.catalog().resolve("latest").newestPassedProof == proof)
    let left = try cluster.check(
      "psql",
      [
        "-qAtX", "-d", "postgres", "-c",
        "SELECT datname FROM pg_database WHERE datname LIKE '\(BackupVerifier.scratchName)%'",
      ])
    #expect(left.text.isEmpty)
  }
}
