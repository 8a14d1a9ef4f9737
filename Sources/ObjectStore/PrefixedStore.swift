public import ByteStream

/// A part of another store, under a prefix, as a store of its own.
public struct PrefixedStore: ObjectStore {
  private let base: any ObjectStore
  private let prefix: String

  /// - Parameter prefix: folders without a slash at either end, or "" for the whole store.
  public init(_ base: any ObjectStore, prefix: String) throws {
    if !prefix.isEmpty { try ObjectKey.check(prefix) }
    self.base = base
    self.prefix = prefix.isEmpty ? "" : prefix + "/"
  }

  public var description: String {
    prefix.isEmpty ? base.description : base.description + "/" + prefix.dropLast()
  }

  public func put(_ key: String, _ bytes: [UInt8], options: PutOptions) throws {
    try base.put(full(key), bytes, options: options)
  }

  public func writer(_ key: String, options: WriteOptions) throws -> any ByteSink {
    try base.writer(full(key), options: options)
  }

  public func info(_ key: String) throws -> ObjectInfo? {
    guard var info = try base.info(full(key)) else { return nil }
    info.key = key
    return info
  }

  public func read(
    _ key: String, range: Range<Int>?, cancellation: Cancellation,
    _ body: (UnsafeRawBufferPointer) throws -> Void
  ) throws {
    try base.read(full(key), range: range, cancellation: cancellation, body)
  }

  public func list(prefix: String, _ body: (ObjectInfo) throws -> Void) throws {
    try base.list(prefix: self.prefix + prefix) { info in
      var info = info
      info.key = short(info.key)
      try body(info)
    }
  }

  public func list(
    prefix: String, after key: String, _ body: (ObjectInfo) throws -> Void
  ) throws {
    try base.list(prefix: self.prefix + prefix, after: self.prefix + key) { info in
      var info = info
      info.key = short(info.key)
      try body(info)
    }
  }

  public func delete(_ keys: [String]) throws { try base.delete(keys.map(full)) }

  public func unfinished(prefix: String) throws -> [UnfinishedWrite] {
    try base.unfinished(prefix: self.prefix + prefix).map { write in
      UnfinishedWrite(key: short(write.key), id: write.id, started: write.started)
    }
  }

  public func discard(_ write: UnfinishedWrite) throws {
    try base.discard(
      UnfinishedWrite(key: full(write.key), id: write.id, started: write.started))
  }

  public func clock() throws -> UTCTime { try base.clock() }

  private func full(_ key: String) throws -> String {
    // Checked before the prefix hides that it is empty.
    try ObjectKey.check(key)
    return prefix + key
  }

  private func short(_ key: String) -> String {
    String(key.utf8.dropFirst(prefix.utf8.count)) ?? key
  }
}
