import ByteStream
import Crypto
import Gzip
import ObjectStore

/// Compresses archives into chains of gzip members, on several threads, and stores them.
///
/// What is given to it in order is stored in order. Memory is bounded: a block of text and one of
/// output for each compressor, and two more of each.
final class MemberPipeline: Sendable {
  /// An archive that is stored.
  struct Stored: Sendable {
    var key: String
    var size = 0
    var plainSize = 0
    var sha256 = ""
    var members: [BaseIndex.Member] = []
  }

  private enum Work: Sendable {
    case begin(key: String, expectedSize: Int?)
    case text(Block)
    case member(Block, plain: Int)
    case end
  }

  private struct Output {
    var ready: [Int: Work] = [:]
    var next = 0
    /// How many compressors are done; each has put its work away before.
    var finished = 0
    var failure: (any Error)?
    var stored: [Stored] = []
  }

  /// Bytes of text in a member.
  static let memberSize = 4 << 20

  private let store: any ObjectStore
  private let texts: BlockPool
  private let outputs: BlockPool
  private let input = BoundedChannel<(Int, Work)>(capacity: 2)
  private let output = Monitor(Output())
  private let group: ThreadGroup
  private let jobs: Int

  /// - Parameter jobs: how many threads compress.
  init(_ store: any ObjectStore, jobs: Int, cancellation: Cancellation) {
    self.store = store
    self.jobs = jobs
    let texts = BlockPool(limit: jobs + 2, blockCapacity: Self.memberSize)
    let outputs = BlockPool(limit: jobs + 2, blockCapacity: Self.memberSize + (64 << 10))
    let (input, output) = (input, output)
    self.texts = texts
    self.outputs = outputs
    group = ThreadGroup(following: cancellation) { error in
      texts.fail(error)
      outputs.fail(error)
      input.fail(error)
      output.update { $0.failure = $0.failure ?? error }
    }
  }

  /// What feeds the pipeline; used by one thread.
  final class Feed {
    private let pipeline: MemberPipeline
    private var block: Block?
    private var sequence = 0

    init(_ pipeline: MemberPipeline) { self.pipeline = pipeline }

    /// Begins an object.
    func begin(_ key: String, expectedSize: Int? = nil) throws {
      try send(.begin(key: key, expectedSize: expectedSize))
    }

    /// Takes bytes of the current object.
    func write(_ bytes: UnsafeRawBufferPointer) throws {
      var rest = bytes
      while !rest.isEmpty {
        let block = try self.block ?? pipeline.texts.take()
        self.block = block
        let count = min(rest.count, MemberPipeline.memberSize - block.count)
        block.append(UnsafeRawBufferPointer(rebasing: rest[..<count]))
        rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        if block.count == MemberPipeline.memberSize { try flush() }
      }
    }

    /// Ends the current object.
    func end() throws {
      try flush()
      try send(.end)
    }

    private func flush() throws {
      guard let block else { return }
      self.block = nil
      try send(.text(block))
    }

    private func send(_ work: Work) throws {
      try pipeline.input.send((sequence, work))
      sequence += 1
    }
  }

  /// Runs the pipeline while `body` feeds it.
  ///
  /// - Returns: what was stored, durable, in the order of the feed.
  func run(_ body: (Feed) throws -> Void) throws -> [Stored] {
    for number in 1...jobs { group.start("base-gzip-\(number)") { try self.compress() } }
    group.start("base-store") { try self.write() }
    let input = input
    do {
      try body(Feed(self))
      input.finish()
    } catch {
      group.fail(error)
    }
    try group.join()
    return output.update { $0.stored }
  }

  private func compress() throws {
    let compressor = try MemberCompressor(.fast)
    // The output block is taken before the work, so that the member that is next in order always
    // has one.
    var spare: Block? = try outputs.take()
    while let (sequence, work) = try input.receive() {
      guard case .text(let text) = work else {
        put(sequence, work)
        continue
      }
      let block = try spare ?? outputs.take()
      let plain = text.count
      try compressor.compress(text.bytes, into: block)
      texts.giveBack(text)
      put(sequence, .member(block, plain: plain))
      spare = nil
      spare = try outputs.take()
    }
    if let spare { outputs.giveBack(spare) }
    output.update { $0.finished += 1 }
  }

  private func put(_ sequence: Int, _ work: Work) { output.update { $0.ready[sequence] = work } }

  private func next() throws -> Work? {
    try output.wait { state -> Work?? in
      if let failure = state.failure { throw failure }
      if let work = state.ready.removeValue(forKey: state.next) {
        state.next += 1
        return .some(work)
      }
      return state.finished == jobs && state.ready.isEmpty ? .some(nil) : nil
    }
  }

  private func write() throws {
    var sink: (any ByteSink)?
    var stored = Stored(key: "")
    var digest = try Digest(.sha256)
    do {
      while let work = try next() {
        switch work {
        case .begin(let key, let expectedSize):
          stored = Stored(key: key)
          digest = try Digest(.sha256)
          sink = try store.writer(
            key,
            options: WriteOptions(
              expectedSize: expectedSize, contentType: "application/gzip",
              cancellation: group.cancellation))
        case .member(let block, let plain):
          try digest.update(block.bytes)
          try sink?.write(block.bytes)
          stored.size += block.count
          stored.plainSize += plain
          stored.members.append(BaseIndex.Member(length: block.count, plain: plain))
          outputs.giveBack(block)
        case .end:
          try sink?.finish()
          sink = nil
          stored.sha256 = Hex.encode(try digest.finish())
          let done = stored
          output.update { $0.stored.append(done) }
        case .text: break
        }
      }
    } catch {
      sink?.abort()
      throw error
    }
  }
}
