import ByteStream
import Glibc

/// Puts the files of an incremental base backup together, on several threads.
struct BaseCombination {
  let jobs: Int
  /// Whether files are made durable.
  let syncs: Bool

  func run(_ combinations: [RestoreSources.Combination], cancellation: Cancellation) throws {
    let queue = BoundedChannel<RestoreSources.Combination>(capacity: max(1, combinations.count))
    for one in combinations { try queue.send(one) }
    queue.finish()
    let group = ThreadGroup(following: cancellation) { queue.fail($0) }
    let syncs = syncs
    for number in 1...jobs {
      group.start("combine-\(number)") {
        let buffer = Block(capacity: 64 * IncrementalFile.blockSize)
        while let one = try queue.receive() {
          try group.cancellation.check()
          try Self.combine(one, buffer, syncs: syncs)
        }
      }
    }
    try group.join()
  }

  private static func combine(
    _ one: RestoreSources.Combination, _ buffer: Block, syncs: Bool
  ) throws {
    let target = open(one.path, O_RDWR | O_CLOEXEC | O_NOFOLLOW)
    guard target >= 0 else { throw LocalFiles.failure("write", one.path) }
    defer { close(target) }
    for path in one.increments {
      try IncrementalFile.with(path) { try $0.apply(to: target, one.path, buffer) }
    }
    if syncs, fsync(target) != 0 { throw LocalFiles.failure("sync", one.path) }
    for path in one.increments where unlink(path) != 0 {
      throw LocalFiles.failure("remove", path)
    }
  }

  /// The start of a backup without what says that it is incremental: no server starts from such a
  /// one.
  static func label(_ label: [UInt8]) -> [UInt8] {
    let lines = label.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    return Array(
      lines.filter { !$0.starts(with: "INCREMENTAL FROM ".utf8) }
        .joined(separator: [UInt8(ascii: "\n")]))
  }
}
