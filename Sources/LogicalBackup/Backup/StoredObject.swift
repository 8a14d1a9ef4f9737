import ByteStream
import Crypto
import ObjectStore
import Synchronization

/// A backup's object in a store, whose bytes can be hashed while somebody reads them.
final class StoredObject: Sendable {
  let key: String
  let size: Int
  private let store: any ObjectStore
  private let cancellation: Cancellation
  private let isHashing = Atomic(false)
  private let hash = Mutex<String?>(nil)

  init(_ key: String, size: Int, in store: any ObjectStore, cancellation: Cancellation) {
    self.key = key
    self.size = size
    self.store = store
    self.cancellation = cancellation
  }

  /// The SHA-256 of all bytes in hexadecimal, once ``hashNextRead()`` had its read.
  var sha256: String? { hash.withLock { $0 } }

  /// The bytes as a file, by ranges.
  var file: LogicalFileReader {
    LogicalFileReader(name: "\(key) in \(store.description)", size: size) { [self] in
      try read($0, $1)
    }
  }

  /// Makes the next read, whatever its range, a pass over the whole object that hashes it.
  func hashNextRead() { isHashing.store(true, ordering: .sequentiallyConsistent) }

  /// Hashes the object without giving its bytes to anybody.
  func hashOnly() throws {
    hashNextRead()
    try read(0..<0) { _ in }
  }

  private func read(
    _ range: Range<Int>, _ body: (UnsafeRawBufferPointer) throws -> Void
  ) throws {
    guard isHashing.exchange(false, ordering: .sequentiallyConsistent) else {
      return try store.read(key, range: range, cancellation: cancellation, body)
    }
    let digest = try Digest(.sha256)
    var position = 0
    // Who reads may find damage: the hash is still that of all bytes.
    var failure: (any Error)?
    try store.read(key, range: nil, cancellation: cancellation) { piece in
      try digest.update(piece)
      let from = max(range.lowerBound - position, 0)
      let to = min(range.upperBound - position, piece.count)
      position += piece.count
      guard failure == nil, from < to else { return }
      do { try body(UnsafeRawBufferPointer(rebasing: piece[from..<to])) } catch { failure = error }
    }
    let text = Hex.encode(try digest.finish())
    hash.withLock { $0 = text }
    if let failure { throw failure }
  }
}
