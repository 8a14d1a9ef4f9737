import ByteStream
import ObjectStore
import Postgres
import Repository
import Synchronization
import TestSupport
import Testing

@testable import LogicalBackup

/// A backup whose manifest nobody confirms: the run fails, and what is in the store is a whole
/// backup or none, whenever the manifest arrives.
@Suite struct LateManifestTests {
  /// Keeps a manifest back, as a network does.
  private final class LateStore: ObjectStore {
    private let base: any ObjectStore
    private let failure: ObjectStoreError
    private let waiting = Mutex<[(String, [UInt8])]>([])

    init(_ base: any ObjectStore, _ failure: ObjectStoreError) {
      self.base = base
      self.failure = failure
    }

    func deliver() throws {
      for (key, bytes) in waiting.withLock({ $0 }) { try base.put(key, bytes) }
    }

    func put(_ key: String, _ bytes: [UInt8], options: PutOptions) throws {
      waiting.withLock { $0.append((key, bytes)) }
      throw failure
    }

    var description: String { base.description }
    func writer(_ key: String, options: WriteOptions) throws -> any ByteSink {
      try base.writer(key, options: options)
    }
    func info(_ key: String) throws -> ObjectInfo? { try base.info(key) }
    func read(
      _ key: String, range: Range<Int>?, cancellation: Cancellation,
      _ body: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
      try base.read(key, range: range, cancellation: cancellation, body)
    }
    func list(prefix: String, _ body: (ObjectInfo) throws -> Void) throws {
      try base.list(prefix: prefix, body)
    }
    func delete(_ keys: [String]) throws { try base.delete(keys) }
    func unfinished(prefix: String) throws -> [UnfinishedWrite] {
      try base.unfinished(prefix: prefix)
    }
    func discard(_ write: UnfinishedWrite) throws { try base.discard(write) }
    func clock() throws -> UTCTime { try base.clock() }
  }

  private func takeInVain(_ failure: ObjectStoreError, in directory: TestDirectory) throws
    -> LateStore
  {
    let source = try TemporaryCluster.shared().createDatabase(named: "late")
    try source.psql("CREATE TABLE t AS SELECT 1 AS a")
    let store = LateStore(try DirectoryStore(path: directory.path), failure)
    let taker = BackupTaker(
      try ConnectionTarget(source.url), into: BackupRepository(store), .init(tool: "test"),
      cancellation: Cancellation())
    #expect(throws: ObjectStoreError.self) { try taker.take() }
    #expect(try BackupRepository(store).catalog().entries.isEmpty)
    return store
  }

  @Test func aManifestWithoutAnswerMayArriveLater() throws {
    let directory = try TestDirectory()
    let store = try takeInVain(ObjectStoreError(.unreachable, "no answer"), in: directory)
    // Nothing that the catalog shows; prune removes it after its days.
    let repository = BackupRepository(store)
    #expect(try repository.catalog().leftovers.map(\.kind) == [.object])
    try store.deliver()
    let entry = try #require(try repository.catalog().entries.first)
    #expect(entry.isWhole)
    let manifest = try #require(entry.manifest)
    let found = BackupRepository(try DirectoryStore(path: directory.path))
    #expect(
      try BackupVerifier(found, identities: [], tool: "test", cancellation: Cancellation())
        .verify(manifest).passed)
  }

  @Test func aManifestThatIsRefusedLeavesNothing() throws {
    let directory = try TestDirectory()
    let store = try takeInVain(ObjectStoreError(.denied, "not allowed"), in: directory)
    #expect(try store.list(prefix: "").isEmpty)
  }
}
