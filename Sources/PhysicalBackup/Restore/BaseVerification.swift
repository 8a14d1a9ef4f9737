import ByteStream
import Crypto
import Glibc

/// Compares what was unpacked with the server's manifest, file by file, on several threads, and
/// makes each file durable.
struct BaseVerification {
  let jobs: Int
  /// Whether files are made durable.
  let syncs: Bool

  func run(_ expected: [RestoreSources.Expected], cancellation: Cancellation) throws {
    let queue = BoundedChannel<RestoreSources.Expected>(capacity: max(1, expected.count))
    for one in expected { try queue.send(one) }
    queue.finish()
    let group = ThreadGroup(following: cancellation) { queue.fail($0) }
    let syncs = syncs
    for number in 1...jobs {
      group.start("verify-\(number)") {
        let buffer = Block(capacity: 1 << 20)
        while let one = try queue.receive() {
          try group.cancellation.check()
          try Self.check(one.file, one.path, buffer, syncs: syncs)
        }
      }
    }
    try group.join()
  }

  private static func check(
    _ file: ServerManifest.File, _ path: String, _ buffer: Block, syncs: Bool
  ) throws {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      if errno == ENOENT { throw damaged(file, "is missing") }
      throw LocalFiles.failure("read", path)
    }
    defer { close(descriptor) }
    let (size, hash) = try hash(descriptor, path, buffer, hashes: file.sha256 != nil)
    guard size == file.size else { throw damaged(file, "has \(size) bytes, not \(file.size)") }
    if let expected = file.sha256, hash != expected {
      throw damaged(file, "is not what the server sent: its SHA-256 is wrong")
    }
    if syncs, fsync(descriptor) != 0 { throw LocalFiles.failure("sync", path) }
  }

  /// Reads an open file to its end.
  ///
  /// - Parameter hashes: whether its SHA-256 is wanted.
  static func hash(
    _ descriptor: Int32, _ path: String, _ buffer: Block, hashes: Bool
  ) throws -> (size: Int, sha256: [UInt8]) {
    let digest = try Digest(.sha256)
    var size = 0
    while true {
      buffer.reset()
      let count = read(descriptor, buffer.room.baseAddress, buffer.room.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw LocalFiles.failure("read", path) }
      if count == 0 { break }
      buffer.advance(by: count)
      size += count
      if hashes { try digest.update(buffer.bytes) }
    }
    return (size, try digest.finish())
  }

  private static func damaged(_ file: ServerManifest.File, _ what: String) -> PhysicalBackupError {
    PhysicalBackupError(.damaged, "the base backup's file \(file.path) \(what)")
  }
}
