import ByteStream
import Gzip
import Postgres

/// Gathers text, compresses it to members and sends them to the sequencer. One for each thread.
final class MemberMaker {
  /// What has been gathered; rows are read into it directly.
  let text: Block
  private let compressor: MemberCompressor
  private let pool: BlockPool
  private let channel: BoundedChannel<FinishedMember>
  /// Bytes of text after which a member is made.
  let memberSize: Int

  init(_ pipeline: MemberPipeline) throws {
    memberSize = pipeline.memberSize
    text = Block(capacity: memberSize + memberSize / 16 + 4096)
    compressor = try MemberCompressor(pipeline.compression)
    pool = pipeline.pool
    channel = pipeline.channel
  }

  func append(_ sql: SQLText) { text.append(sql.bytes) }

  /// Whether enough has been gathered for a member.
  var isFull: Bool { text.count >= memberSize }

  /// Makes a member of what has been gathered, if there is anything, and starts a new one.
  func finish(_ kind: MemberKind, _ describe: (inout FinishedMember) -> Void = { _ in }) throws {
    guard text.count > 0 else { return }
    let output = try pool.take()
    do { try compressor.compress(text.bytes, into: output) } catch {
      pool.giveBack(output)
      throw error
    }
    var member = FinishedMember(kind: kind, compressed: output, textLength: text.count)
    describe(&member)
    text.reset()
    try channel.send(member)
  }
}

/// What the makers of members share: the way to the sequencer, and the blocks that bound memory.
struct MemberPipeline: Sendable {
  let pool: BlockPool
  let channel: BoundedChannel<FinishedMember>
  let compression: CompressionLevel
  let memberSize: Int

  /// - Parameter makers: how many threads make members.
  init(makers: Int, _ options: ExportOptions) {
    // Each maker fills one; two wait to be written, and one is being written.
    pool = BlockPool(
      limit: makers + 3, blockCapacity: options.memberSize + options.memberSize / 8 + 65_536)
    channel = BoundedChannel(capacity: makers + 3)
    compression = options.compression
    memberSize = options.memberSize
  }

  /// Makes whoever waits in the pipeline throw.
  func fail(_ error: any Error) {
    pool.fail(error)
    channel.fail(error)
  }
}
