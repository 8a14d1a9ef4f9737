public import ByteStream
import Crypto
// timespec counts as CCurl's here: both modules include the header that declares it.
import CCurl
import Glibc

/// A directory as an object store, on a local or network file system.
///
/// An object is written to a temporary file beside its final name, fsynced, renamed, and the
/// folder fsynced: it is there whole and durable, or not there. Folders are made with mode 0700,
/// files with 0600.
public struct DirectoryStore: ObjectStore {
  /// The absolute path of the root.
  public let root: String

  /// The root need not exist: the first write makes it.
  public init(path: String) throws {
    guard path.hasPrefix("/"), !path.utf8.contains(0) else {
      throw ObjectStoreError(
        .invalidLocation, "the store's directory \"\(path)\" is not an absolute path")
    }
    var trimmed = path[...]
    while trimmed.count > 1, trimmed.hasSuffix("/") { trimmed.removeLast() }
    root = String(trimmed)
  }

  public var description: String { "file://\(root)" }

  public func put(_ key: String, _ bytes: [UInt8], options: PutOptions) throws {
    let sink = try DirectorySink(
      self, key: key, onlyIfAbsent: options.onlyIfAbsent, cancellation: Cancellation())
    do {
      try sink.write(bytes)
      try sink.finish()
    } catch {
      sink.abort()
      throw error
    }
  }

  public func writer(_ key: String, options: WriteOptions) throws -> any ByteSink {
    try DirectorySink(
      self, key: key, onlyIfAbsent: false, cancellation: options.cancellation)
  }

  public func info(_ key: String) throws -> ObjectInfo? {
    let path = try path(of: key)
    var status = stat()
    guard lstat(path, &status) == 0 else {
      if errno == ENOENT || errno == ENOTDIR { return nil }
      throw FileFailure.error("cannot examine", path, errno, key: key)
    }
    return ObjectInfo(key: key, status)
  }

  public func read(
    _ key: String, range: Range<Int>?, cancellation: Cancellation,
    _ body: (UnsafeRawBufferPointer) throws -> Void
  ) throws {
    let path = try path(of: key)
    let file = try OpenFile(path, flags: O_RDONLY | O_NONBLOCK, what: "cannot read")
    let status = try file.status()
    guard ObjectInfo(key: key, status) != nil else {
      throw ObjectStoreError(.invalidLocation, "\(path) is not a regular file", key: key)
    }
    let range = range ?? 0..<Int(status.st_size)
    if range.count > 1 << 20 { file.adviseSequential() }
    let buffer = UnsafeMutableRawBufferPointer.allocate(
      byteCount: min(max(range.count, 1), 1 << 18), alignment: 64)
    defer { buffer.deallocate() }
    var offset = range.lowerBound
    while offset < range.upperBound {
      try ObjectStoreError.check(cancellation)
      let wanted = min(buffer.count, range.upperBound - offset)
      let count = try file.read(
        into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<wanted]), at: offset)
      guard count > 0 else {
        throw ObjectStoreError(
          .truncated, "\(path) ends after \(offset) bytes, \(range.upperBound) were expected",
          key: key)
      }
      try body(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
      offset += count
    }
  }

  public func list(prefix: String, _ body: (ObjectInfo) throws -> Void) throws {
    try DirectoryWalk(self, prefix: prefix).objects(body)
  }

  public func list(
    prefix: String, after key: String, _ body: (ObjectInfo) throws -> Void
  ) throws {
    try DirectoryWalk(self, prefix: prefix, after: key).objects(body)
  }

  public func delete(_ keys: [String]) throws {
    var folders: Set<String> = []
    for key in keys {
      let path = try path(of: key)
      guard unlink(path) == 0 else {
        if errno == ENOENT || errno == ENOTDIR { continue }
        throw FileFailure.error("cannot delete", path, errno, key: key)
      }
      folders.insert(Self.folder(of: path))
    }
    for folder in folders { try Self.syncFolder(folder) }
  }

  public func unfinished(prefix: String) throws -> [UnfinishedWrite] {
    var found: [UnfinishedWrite] = []
    try DirectoryWalk(self, prefix: prefix).temporaryFiles { found.append($0) }
    return found
  }

  public func discard(_ write: UnfinishedWrite) throws {
    let final = try path(of: write.key)
    let name = String(final.utf8.suffix(final.utf8.count - Self.folder(of: final).utf8.count - 1))
    guard !write.id.contains("/"), FileNames.final(ofTemporary: write.id) == name else {
      throw ObjectStoreError(
        .invalidLocation, "\"\(write.id)\" is not a temporary file for \(write.key)",
        key: write.key)
    }
    let path = Self.folder(of: final) + "/" + write.id
    guard unlink(path) == 0 || errno == ENOENT else {
      throw FileFailure.error("cannot delete", path, errno, key: write.key)
    }
  }

  /// The file system's clock, which on a network file system is the server's: the time that it
  /// gives a new file.
  public func clock() throws -> UTCTime {
    try Self.makeFolders(root)
    let path =
      root + "/" + FileNames.temporary(for: "clock", digits: Hex.encode(try SecureRandom.bytes(8)))
    let file = try OpenFile(path, flags: O_WRONLY | O_CREAT | O_EXCL, what: "cannot write")
    defer { unlink(path) }
    return UTCTime(try file.status().st_mtim)
  }

  // MARK: Paths

  func path(of key: String) throws -> String {
    let relative = try FileNames.path(of: key)
    return root == "/" ? "/" + relative : root + "/" + relative
  }

  /// A path without its last component.
  static func folder(of path: String) -> String {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")), slash > path.startIndex else {
      return "/"
    }
    return String(path[..<slash])
  }

  /// Makes a folder and those above it, durably. One that is there is left as it is.
  static func makeFolders(_ path: String) throws {
    var status = stat()
    if stat(path, &status) == 0 {
      guard status.st_mode & S_IFMT == S_IFDIR else {
        throw FileFailure.error("cannot write below", path, ENOTDIR)
      }
      return
    }
    guard errno == ENOENT else { throw FileFailure.error("cannot write below", path, errno) }
    let parent = folder(of: path)
    if parent != path { try makeFolders(parent) }
    if mkdir(path, 0o700) != 0 {
      // Another writer may have made it in the meantime.
      guard errno == EEXIST else { throw FileFailure.error("cannot make folder", path, errno) }
      return
    }
    try syncFolder(parent)
  }

  static func syncFolder(_ path: String) throws {
    let folder = try OpenFile(path, flags: O_RDONLY | O_DIRECTORY, what: "cannot open folder")
    try folder.sync()
  }
}

extension ObjectInfo {
  /// Nil when it is not a regular file.
  init?(key: String, _ status: stat) {
    guard status.st_mode & S_IFMT == S_IFREG else { return nil }
    self.init(
      key: key, size: Int(status.st_size), modified: UTCTime(status.st_mtim),
      etag: "\(status.st_ino)-\(status.st_mtim.tv_sec).\(status.st_mtim.tv_nsec)-\(status.st_size)")
  }
}

extension ObjectStoreError {
  /// Throws ``Code/cancelled`` once somebody has asked to stop.
  static func check(_ cancellation: Cancellation) throws {
    guard let reason = cancellation.reason else { return }
    throw ObjectStoreError(
      .cancelled, reason, cause: Cancellation.Cancelled(reason: reason))
  }
}
