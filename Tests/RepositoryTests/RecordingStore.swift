import ByteStream
import ObjectStore
import Synchronization

/// A store that notes what is deleted, and refuses some of it as an object lock would.
final class RecordingStore: ObjectStore {
  private let base: any ObjectStore
  private let refusing: Set<String>
  private let log = Mutex<[String]>([])
  private let puts = Mutex<[String]>([])

  private let refusingWrites: String?
  private let beforeDeleting: @Sendable ([String]) throws -> Void

  /// - Parameters:
  ///   - refusing: keys that may not be deleted.
  ///   - refusingWrites: below this prefix nothing may be written.
  ///   - beforeDeleting: called with the keys that are about to go.
  init(
    _ base: any ObjectStore, refusing: Set<String> = [], refusingWrites: String? = nil,
    beforeDeleting: @escaping @Sendable ([String]) throws -> Void = { _ in }
  ) {
    self.beforeDeleting = beforeDeleting
    self.base = base
    self.refusing = refusing
    self.refusingWrites = refusingWrites
  }

  /// The keys that were deleted, in order.
  var deleted: [String] { log.withLock { $0 } }

  /// The keys that were put, in order.
  var written: [String] { puts.withLock { $0 } }

  var description: String { base.description }

  func put(_ key: String, _ bytes: [UInt8], options: PutOptions) throws {
    if let refusingWrites, key.hasPrefix(refusingWrites) {
      throw ObjectStoreError(.denied, "\(key) may not be written", key: key)
    }
    try base.put(key, bytes, options: options)
    puts.withLock { $0.append(key) }
  }

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

  func delete(_ keys: [String]) throws {
    if let key = keys.first(where: refusing.contains) {
      throw ObjectStoreError(.retained, "\(key) is kept by an object lock", key: key)
    }
    try beforeDeleting(keys)
    try base.delete(keys)
    log.withLock { $0 += keys }
  }

  func unfinished(prefix: String) throws -> [UnfinishedWrite] {
    try base.unfinished(prefix: prefix)
  }

  func discard(_ write: UnfinishedWrite) throws { try base.discard(write) }

  func clock() throws -> UTCTime { try base.clock() }
}
