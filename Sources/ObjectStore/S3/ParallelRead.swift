import ByteStream
import Synchronization

/// One reading of a long stretch of an object: several ranges are under way at once, and are given
/// in order.
///
/// One connection seldom fills a line to a bucket. Memory is bounded: one block for each range
/// under way, and one for the range that is being given.
final class ParallelRead: Sendable {
  private struct State {
    /// The number of the range that is fetched next.
    var next = 0
    /// Fetched and not yet given, by number.
    var fetched: [Int: Block] = [:]
    var failure: (any Error)?
  }

  private let client: S3Client
  private let key: String
  private let range: Range<Int>
  private let version: ObjectVersion
  private let pieceSize: Int
  private let state = Monitor(State())
  private let pool: BlockPool

  /// - Parameter version: what is known of the object so far.
  init(_ client: S3Client, key: String, range: Range<Int>, version: ObjectVersion) {
    self.client = client
    self.key = key
    self.range = range
    self.version = version
    pieceSize = client.settings.downloadSize
    pool = BlockPool(
      limit: client.settings.downloads + 1, blockCapacity: client.settings.downloadSize)
  }

  func read(
    cancellation: Cancellation, _ body: (UnsafeRawBufferPointer) throws -> Void
  ) throws {
    let group = ThreadGroup(following: cancellation) { [state, pool] error in
      state.update { $0.failure = error }
      pool.fail(error)
    }
    let count = (range.count + pieceSize - 1) / pieceSize
    for thread in 0..<min(client.settings.downloads, count) {
      group.start("download \(thread)") { [self, group] in
        try work(count, group.cancellation)
      }
    }
    do {
      for number in 0..<count {
        let block = try state.wait { state -> Block? in
          if let failure = state.failure { throw failure }
          return state.fetched.removeValue(forKey: number)
        }
        try body(block.bytes)
        pool.giveBack(block)
      }
      try group.join()
    } catch {
      group.fail(error)
      try? group.join()
      if error is Cancellation.Cancelled { try ObjectStoreError.check(cancellation) }
      throw error
    }
  }

  /// A thread's work: fetches ranges until there are no more.
  private func work(_ count: Int, _ cancellation: Cancellation) throws {
    while true {
      // The block first: so the lowest range that is missing always has one.
      let block = try pool.take()
      let number = state.update { state in
        defer { state.next += 1 }
        return state.next
      }
      guard number < count else { return pool.giveBack(block) }
      let start = range.lowerBound + number * pieceSize
      let reader = S3Reader(
        client, key: key, range: start..<min(start + pieceSize, range.upperBound),
        version: version, cancellation: cancellation)
      try reader.read { block.append($0) }
      state.update { $0.fetched[number] = block }
    }
  }
}

/// Which version of an object a reading is of: the first answer says it, and all others must agree.
final class ObjectVersion: Sendable {
  private let value = Mutex<String?>(nil)

  /// The tag of the version, once an answer has come.
  var etag: String? { value.withLock { $0 } }

  /// False when the answer is of another version.
  func agrees(_ etag: String?) -> Bool {
    value.withLock { value in
      value = value ?? etag
      return etag == nil || value == etag
    }
  }
}
