public import ByteStream

/// A place that keeps whole objects under keys: a directory, or a bucket.
///
/// Calls block on the caller's thread, for a bounded time. A store may be used from several
/// threads at once. Keys are checked with ``ObjectKey/check(_:)``; every failure is an
/// ``ObjectStoreError``, apart from what a caller's own `body` throws.
public protocol ObjectStore: Sendable {
  /// Where it is, for people. Holds no secret.
  var description: String { get }

  /// Writes a small object at once: durable and visible when this returns, or not there at all.
  func put(_ key: String, _ bytes: [UInt8], options: PutOptions) throws

  /// Writes an object of any size. It is visible only after the sink's `finish()`, and then
  /// durable; an existing object of that key stays until then. Use the sink on one thread.
  func writer(_ key: String, options: WriteOptions) throws -> any ByteSink

  /// What is known of an object; nil when there is none.
  func info(_ key: String) throws -> ObjectInfo?

  /// Gives an object's bytes in order, in pieces of the store's choosing.
  ///
  /// - Parameters:
  ///   - range: the bytes to read; nil for all. A range that the object does not hold is
  ///     ``ObjectStoreError/Code/truncated``.
  ///   - cancellation: stops the reading.
  func read(
    _ key: String, range: Range<Int>?, cancellation: Cancellation,
    _ body: (UnsafeRawBufferPointer) throws -> Void) throws

  /// Gives every object whose key begins with `prefix`, in the order of the keys' UTF-8 bytes;
  /// some S3 servers sort a folder by its name without the slash, so only the order among the
  /// objects of one folder is to be relied on.
  /// Only one page, or the names of one folder, are in memory at a time.
  func list(prefix: String, _ body: (ObjectInfo) throws -> Void) throws

  /// As ``list(prefix:_:)``, but only keys that come after `key`, which need not exist. A store
  /// that can do so does not look at those before it.
  func list(prefix: String, after key: String, _ body: (ObjectInfo) throws -> Void) throws

  /// Deletes objects. One that is not there is no error.
  func delete(_ keys: [String]) throws

  /// Writes under `prefix` that were begun and neither finished nor aborted.
  func unfinished(prefix: String) throws -> [UnfinishedWrite]

  /// Throws an unfinished write away, and what the store keeps for it.
  func discard(_ write: UnfinishedWrite) throws

  /// The store's own clock, which is what objects' ages are reckoned by.
  func clock() throws -> UTCTime
}

extension ObjectStore {
  /// Writes a small object at once, whether it was there or not.
  public func put(_ key: String, _ bytes: [UInt8]) throws {
    try put(key, bytes, options: PutOptions())
  }

  /// Writes an object of any size with default options.
  public func writer(_ key: String) throws -> any ByteSink {
    try writer(key, options: WriteOptions())
  }

  /// Gives all of an object's bytes in order.
  public func read(_ key: String, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
    try read(key, range: nil, cancellation: Cancellation(), body)
  }

  /// Gives a range of an object's bytes in order.
  public func read(
    _ key: String, range: Range<Int>, _ body: (UnsafeRawBufferPointer) throws -> Void
  ) throws {
    try read(key, range: range, cancellation: Cancellation(), body)
  }

  /// Lists everything, and passes over what is not wanted.
  public func list(
    prefix: String, after key: String, _ body: (ObjectInfo) throws -> Void
  ) throws {
    try list(prefix: prefix) { info in
      if key.utf8.lexicographicallyPrecedes(info.key.utf8) { try body(info) }
    }
  }

  /// A small object in memory.
  ///
  /// - Parameter limit: bytes; a larger object is ``ObjectStoreError/Code/damaged``, since nobody
  ///   writes one here.
  public func readAll(
    _ key: String, limit: Int, cancellation: Cancellation = Cancellation()
  ) throws -> [UInt8] {
    var bytes: [UInt8] = []
    try read(key, range: nil, cancellation: cancellation) { piece in
      guard bytes.count + piece.count <= limit else {
        throw ObjectStoreError(
          .damaged, "\(key) in \(description) is larger than the \(limit) bytes expected there",
          key: key)
      }
      bytes.append(contentsOf: piece)
    }
    return bytes
  }

  /// A range of an object in memory.
  public func readRange(
    _ key: String, _ range: Range<Int>, cancellation: Cancellation = Cancellation()
  ) throws -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(range.count)
    try read(key, range: range, cancellation: cancellation) { bytes.append(contentsOf: $0) }
    return bytes
  }

  /// Every object whose key begins with `prefix`, in memory, in key order.
  public func list(prefix: String) throws -> [ObjectInfo] {
    var all: [ObjectInfo] = []
    try list(prefix: prefix) { all.append($0) }
    return all
  }

  /// Deletes one object.
  public func delete(_ key: String) throws { try delete([key]) }
}
