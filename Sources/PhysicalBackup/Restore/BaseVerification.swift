import ByteStream
import Crypto
import Glibc

/// Compares what was unpacked with the server's manifest, file by file, on several threads, and
/// makes each file durable.
struct BaseVerification {
  let jobs: Int
  /// Whether files are made durable.
  let syncs: Bool

  /// - Parameter path: where a file of the manifest lies.
  func run(
    _ manifest: ServerManifest, cancellation: Cancellation,
    path: @escaping @Sendable (String) -> String
  ) throws {
    let queue = BoundedChannel<ServerManifest.File>(capacity: max(1, manifest.files.count))
    for file in manifest.files { try queue.send(file) }
    queue.finish()
    let group = ThreadGroup(following: cancellation) { queue.fail($0) }
    let syncs = syncs
    for number in 1...jobs {
      group.start("verify-\(number)") {
        let buffer = Block(capacity: 1 << 20)
        while let file = try queue.receive() {
          try group.cancellation.check()
          try Self.check(file, path(file.path), buffer, syncs: syncs)
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
      if file.sha256 != nil { try digest.update(buffer.bytes) }
    }
    guard size == file.size else { throw damaged(file, "has \(size) bytes, not \(file.size)") }
    if let expected = file.sha256, try digest.finish() != expected {
      throw damaged(file, "is not what the server sent: its SHA-256 is wrong")
    }
    if syncs, fsync(descriptor) != 0 { throw LocalFiles.failure("sync", path) }
  }

  private static func damaged(_ file: ServerManifest.File, _ what: String) -> PhysicalBackupError {
    PhysicalBackupError(.damaged, "the base backup's file \(file.path) \(what)")
  }
}
