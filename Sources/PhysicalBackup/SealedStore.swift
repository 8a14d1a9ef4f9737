public import Age
public import ByteStream
public import ObjectStore
import Synchronization

/// A store whose base backups and WAL are encrypted with age, and whose names of them end in
/// `.age`; everything else passes through.
///
/// What is encrypted: the archives, index, server manifest and settings of base backups, and
/// segments and pieces. What is not, since no secret is in it and hosts without the secret key
/// need it: manifests, history files, what was noted of the WAL. A reader sees names, ranges and
/// bytes as if nothing were encrypted; the sizes of a listing are those of the encrypted objects.
public struct SealedStore: ObjectStore {
  static let suffix = ".age"
  /// No object other than an archive is larger.
  private static let largestInMemory = 2 << 30

  private let base: any ObjectStore
  private let recipients: [AgeRecipient]
  private let identities: [AgeIdentity]
  private let opened = Opened()

  /// - Parameters:
  ///   - recipients: whom new objects are encrypted to; none writes them as they are.
  ///   - identities: what opens encrypted ones.
  public init(
    _ base: any ObjectStore, recipients: [AgeRecipient] = [], identities: [AgeIdentity] = []
  ) {
    self.base = base
    self.recipients = recipients
    self.identities = identities
  }

  public var description: String { base.description }

  /// Archives that were opened, so that not each of their ranges begins with the header.
  private final class Opened: Sendable {
    private let files = Mutex<[String: AgeFile]>([:])

    subscript(key: String) -> AgeFile? { files.withLock { $0[key] } }
    func keep(_ file: AgeFile, _ key: String) { files.withLock { $0[key] = file } }
    func drop(_ keys: [String]) {
      files.withLock { files in for key in keys { files[key] = nil } }
    }
  }

  /// Whether objects of that key are encrypted, when encryption is wanted.
  static func isSealed(_ key: String) -> Bool {
    let parts = key.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 6, parts[1] == "cluster" else { return false }
    return parts[3] == "base" || parts[3] == "wal" && parts[5].hasSuffix(".gz")
  }

  private func isToSeal(_ key: String) -> Bool { !recipients.isEmpty && Self.isSealed(key) }

  // MARK: Writing

  public func put(_ key: String, _ bytes: [UInt8], options: PutOptions) throws {
    guard isToSeal(key) else { return try base.put(key, bytes, options: options) }
    let memory = MemorySink()
    let sink = try AgeSink(to: recipients, into: memory)
    try sink.write(bytes)
    try sink.finish()
    try base.put(key + Self.suffix, memory.bytes, options: options)
  }

  public func writer(_ key: String, options: WriteOptions) throws -> any ByteSink {
    guard isToSeal(key) else { return try base.writer(key, options: options) }
    let sink = try base.writer(key + Self.suffix, options: options)
    do { return try AgeSink(to: recipients, into: sink) } catch {
      sink.abort()
      throw error
    }
  }

  private final class MemorySink: ByteSink {
    var bytes: [UInt8] = []
    func write(_ more: UnsafeRawBufferPointer) throws { bytes.append(contentsOf: more) }
    func finish() throws {}
    func abort() {}
  }

  // MARK: Reading

  public func info(_ key: String) throws -> ObjectInfo? {
    if let info = try base.info(key) { return info }
    guard Self.isSealed(key), var info = try base.info(key + Self.suffix) else { return nil }
    info.key = key
    return info
  }

  public func read(
    _ key: String, range: Range<Int>?, cancellation: Cancellation,
    _ body: (UnsafeRawBufferPointer) throws -> Void
  ) throws {
    guard Self.isSealed(key) else {
      return try base.read(key, range: range, cancellation: cancellation, body)
    }
    let isSealedFirst = !recipients.isEmpty || !identities.isEmpty
    do {
      try read(isSealedFirst, key, range, cancellation, body)
    } catch let error as ObjectStoreError where error.code == .notFound {
      try read(!isSealedFirst, key, range, cancellation, body)
    }
  }

  private func read(
    _ isSealed: Bool, _ key: String, _ range: Range<Int>?, _ cancellation: Cancellation,
    _ body: (UnsafeRawBufferPointer) throws -> Void
  ) throws {
    guard isSealed else {
      return try base.read(key, range: range, cancellation: cancellation, body)
    }
    let name = key + Self.suffix
    if identities.isEmpty {
      // Not found is the same with and without a key.
      guard try base.info(name) != nil else {
        throw ObjectStoreError(.notFound, "there is no \(key) in \(description)", key: key)
      }
      throw PhysicalBackupError(
        .locked,
        "\(name) is encrypted; say where the secret key is with --identity or "
          + "BACKUP_AGE_IDENTITY_FILE")
    }
    do {
      let file = try open(name, cancellation)
      try file.read(range ?? 0..<file.plainSize, body)
    } catch let error as AgeError {
      guard error.code == .wrongKey else {
        throw PhysicalBackupError(
          .damaged, "\(name) in \(description) is damaged: \(error.message)", cause: nil)
      }
      throw PhysicalBackupError(.locked, "\(name) is encrypted: \(error.message)")
    }
  }

  private func open(_ name: String, _ cancellation: Cancellation) throws -> AgeFile {
    if let file = opened[name] { return file }
    guard name.hasSuffix(".tar.gz" + Self.suffix) else {
      // Small, and read once: one request is enough.
      let bytes = try base.readAll(name, limit: Self.largestInMemory, cancellation: cancellation)
      return try AgeFile(size: bytes.count, identities: identities) { range, body in
        guard range.upperBound <= bytes.count else {
          throw AgeError(.truncated, "the encrypted file was cut short")
        }
        try bytes.withUnsafeBytes { try body(UnsafeRawBufferPointer(rebasing: $0[range])) }
      }
    }
    guard let info = try base.info(name) else {
      throw ObjectStoreError(.notFound, "there is no \(name) in \(description)", key: name)
    }
    let base = base
    let file = try AgeFile(size: info.size, identities: identities) { range, body in
      try base.read(name, range: range, cancellation: cancellation, body)
    }
    opened.keep(file, name)
    return file
  }

  public func list(prefix: String, _ body: (ObjectInfo) throws -> Void) throws {
    try base.list(prefix: prefix) { try body(Self.named(plain: $0)) }
  }

  public func list(
    prefix: String, after key: String, _ body: (ObjectInfo) throws -> Void
  ) throws {
    try base.list(prefix: prefix, after: key) { info in
      let info = Self.named(plain: info)
      // The key's own object has a longer name when it is encrypted.
      if info.key != key { try body(info) }
    }
  }

  private static func named(plain info: ObjectInfo) -> ObjectInfo {
    var info = info
    if info.key.hasSuffix(suffix) {
      let plain = String(info.key.dropLast(suffix.utf8.count))
      if isSealed(plain) { info.key = plain }
    }
    return info
  }

  // MARK: Deleting

  public func delete(_ keys: [String]) throws {
    let sealed = keys.filter(Self.isSealed).map { $0 + Self.suffix }
    opened.drop(sealed)
    try base.delete(keys + sealed)
  }

  public func unfinished(prefix: String) throws -> [UnfinishedWrite] {
    try base.unfinished(prefix: prefix)
  }

  public func discard(_ write: UnfinishedWrite) throws { try base.discard(write) }

  public func clock() throws -> UTCTime { try base.clock() }
}
