import Age
import ByteStream
import Foundation
import ObjectStore
import Postgres
import TestSupport
import Testing

@testable import PhysicalBackup

/// Base backups and WAL in a bucket, encrypted, while the store fails in between.
@Suite struct SealedStoreTests {
  private let server: S3Server
  private let proxy: HTTPFaultProxy
  private let store: any ObjectStore
  private let identity: AgeIdentity
  private let recipients: [AgeRecipient]

  init() throws {
    server = try S3Server.shared()
    proxy = try HTTPFaultProxy(to: server.port)
    let values = server.environment.merging([
      "BACKUP_STORE": "s3://\(try server.createBucket())/physical",
      "BACKUP_S3_ENDPOINT": proxy.endpoint, "BACKUP_S3_DEADLINE": "1",
      "BACKUP_S3_PATH_STYLE": "true",
    ]) { $1 }
    store = try StoreConfiguration.fromEnvironment(values).open(cancellation: Cancellation())
    identity = try AgeIdentity.generate()
    recipients = [try #require(try identity.recipient())]
  }

  private func fail(_ isMeant: @escaping @Sendable (HTTPFaultProxy.Request) -> Bool) {
    proxy.add(.s3Error(503, "SlowDown"), when: isMeant)
  }

  @Test func whatIsEncryptedInABucketComesBackThoughTheStoreFails() throws {
    var random = SeededGenerator()
    let cluster = try TemporaryCluster(
      15, ClusterOptions(settings: ["full_page_writes": "on", "synchronous_commit": "on"]))
    let receiver = try TestReceiver(cluster, store, recipients: recipients)
    try receiver.start()
    let ledger = try Ledger(cluster)
    try ledger.write(20, seed: &random)
    var options = BaseBackup.Options()
    options.recipients = recipients
    let base = BaseBackup(
      try ConnectionTarget(cluster.url()), to: store, environment: "test", options: options)

    // A store that dies in the middle of a base backup leaves none.
    fail { $0.method != "GET" && $0.target.contains("/base/") && !$0.target.contains(".tar") }
    #expect(throws: (any Error).self) { try base.run(cancellation: Cancellation()) }
    proxy.clear()
    #expect(try PhysicalCatalog(store, environment: "test").bases.isEmpty)
    let manifest = try base.run(cancellation: Cancellation())
    #expect(manifest.encryption == "age")

    // The store is gone while the server works, for longer than one attempt lasts.
    try ledger.write(10, seed: &random)
    fail { _ in true }
    try ledger.write(10, seed: &random)
    try cluster.psql("SELECT pg_switch_wal()")
    try ledger.message(
      "pgkeep.migration",
      #"{"id":7,"version":"20261122093000","direction":"up","sql":"secret"}"#)
    let before = ledger.lastRow
    try ledger.write(10, seed: &random)
    let before2 = receiver.confirmed
    try receiver.waitForEvent("next attempt")
    #expect(receiver.confirmed == before2)
    proxy.clear()
    try receiver.waitUntilConfirmed(cluster.walFlushed())
    try receiver.stop()
    // In the middle of a segment, whose pieces this host cannot read.
    let again = try TestReceiver(cluster, store, recipients: recipients)
    try again.start()
    try ledger.write(10, seed: &random)
    try again.waitUntilConfirmed(cluster.walFlushed())
    try again.stop()

    for info in try store.list(prefix: "") {
      let isSealed = info.key.hasSuffix(".age")
      let isPlain = info.key.hasSuffix(".json") && !info.key.hasSuffix("settings.json")
      #expect(isSealed != isPlain, "\(info.key)")
      guard isPlain else { continue }
      let bytes = try store.readAll(info.key, limit: 1 << 20)
      #expect(!String(decoding: bytes, as: UTF8.self).contains("secret"), "\(info.key)")
    }
    let open = SealedStore(store, identities: [identity])
    let catalog = try PhysicalCatalog(open, environment: "test")
    #expect(try #require(catalog.wal).ranges(timeline: 1).count == 1)
    let report = try PhysicalAudit(catalog).run(cancellation: Cancellation())
    #expect(report.passed, "\(report.findings)")
    let restored = try RestoredCluster(open, .latest, major: 15)
    #expect(try restored.rows() == "\(ledger.lastRow)|1|\(ledger.lastRow)")
    let migration = try RestoredCluster(open, .beforeMigration("20261122093000"), major: 15)
    #expect(try migration.rows() == "\(before)|1|\(before)")

    // Without the key, or with another one, it is said what is missing.
    for identities in [[], [try AgeIdentity.generate()]] {
      let locked = try PhysicalCatalog(
        SealedStore(store, identities: identities), environment: "test")
      #expect(locked.coverage() == catalog.coverage())
      let error = #expect(throws: PhysicalBackupError.self) {
        try PhysicalAudit(locked).run(cancellation: Cancellation())
      }
      #expect(error?.code == .locked)
    }
    // Deleting finds them under their own names.
    try open.delete(
      store.list(prefix: "").map(\.key).map { $0.replacingOccurrences(of: ".age", with: "") })
    #expect(try store.list(prefix: "").isEmpty)
  }
}
