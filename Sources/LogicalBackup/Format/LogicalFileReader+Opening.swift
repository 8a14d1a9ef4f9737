public import Age
public import ByteStream
import Glibc
public import ObjectStore

extension LogicalFileReader {
  /// A backup or dump in a file of this machine.
  ///
  /// - Throws: ``LogicalBackupError`` of code `localFile` when it cannot be read or is no file.
  public convenience init(path: String) throws {
    let file = try LocalFile(path)
    self.init(name: path, size: file.size) { range, body in try file.read(range, body) }
  }

  /// A backup in a store.
  ///
  /// - Parameters:
  ///   - size: its bytes, as the store has them.
  ///   - cancellation: stops all reading.
  public convenience init(
    _ key: String, size: Int, in store: any ObjectStore, cancellation: Cancellation
  ) {
    self.init(name: "\(key) in \(store.description)", size: size) { range, body in
      try store.read(key, range: range, cancellation: cancellation, body)
    }
  }
}

extension LogicalFileReader {
  /// The file without its encryption; itself when it has none.
  ///
  /// - Parameter identities: tried in order.
  /// - Throws: `AgeError` when none of them opens it, or when it was cut short or changed.
  public func decrypted(with identities: [AgeIdentity]) throws -> LogicalFileReader {
    guard try kind() == .encrypted else { return self }
    guard !identities.isEmpty else {
      throw AgeError(
        .wrongKey,
        "\(name) is encrypted with age, and no identity was given: set "
          + "BACKUP_AGE_IDENTITY_FILE to the file with the secret key, or give --identity; for a "
          + "passphrase, BACKUP_PASSPHRASE_FILE or --passphrase-file")
    }
    let file = try AgeFile(size: size, identities: identities) { [self] range, body in
      try read(range, body)
    }
    return LogicalFileReader(name: name, size: file.plainSize) { try file.read($0, $1) }
  }
}

/// An open file, read by ranges from several threads.
private final class LocalFile: Sendable {
  let path: String
  let size: Int
  private let descriptor: Int32

  init(_ path: String) throws {
    self.path = path
    descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw Self.failure("cannot be opened", path, errno) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      close(descriptor)
      throw LogicalBackupError(.localFile, "\(path) is not a file.", object: path)
    }
    size = Int(status.st_size)
  }

  deinit { close(descriptor) }

  func read(_ range: Range<Int>, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
    let buffer = UnsafeMutableRawBufferPointer.allocate(
      byteCount: min(range.count, 1 << 18), alignment: 64)
    defer { buffer.deallocate() }
    var offset = range.lowerBound
    while offset < range.upperBound {
      let wanted = min(buffer.count, range.upperBound - offset)
      let count = pread(descriptor, buffer.baseAddress, wanted, off_t(offset))
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw Self.failure("cannot be read", path, errno) }
      guard count > 0 else {
        throw LogicalBackupError(
          .truncated, "\(path) became shorter while it was read.", object: path)
      }
      try body(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
      offset += count
    }
  }

  private static func failure(_ what: String, _ path: String, _ code: Int32)
    -> LogicalBackupError
  {
    LogicalBackupError(
      .localFile, "\(path) \(what): \(String(cString: strerror(code))).", object: path)
  }
}

/// What comes through a pipe, such as standard input. Blocks until something comes.
public final class PipeSource: ByteSource {
  private let descriptor: Int32
  private let name: String

  /// - Parameter descriptor: stays the caller's, who closes it.
  public init(_ descriptor: Int32, name: String) {
    self.descriptor = descriptor
    self.name = name
  }

  public func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    while true {
      let count = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
      if count >= 0 { return count }
      guard errno == EINTR else {
        throw LogicalBackupError(
          .localFile, "\(name) cannot be read: \(String(cString: strerror(errno))).")
      }
    }
  }
}
