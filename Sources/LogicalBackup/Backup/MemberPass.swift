import ByteStream

/// Reads all members of a file in one pass over its bytes: one thread fetches and decrypts them,
/// the calling one decompresses and checks them.
struct MemberPass {
  private let file: LogicalFileReader
  private let index: LogicalIndex
  private let cancellation: Cancellation

  private static let pieceSize = 1 << 20
  private static let pieces = 8

  init(_ file: LogicalFileReader, _ index: LogicalIndex, cancellation: Cancellation) {
    self.file = file
    self.index = index
    self.cancellation = cancellation
  }

  /// Checks each member against the index: that it can be decompressed, and that its rows are
  /// those that the index tells of. All of the file is read, also behind damage.
  ///
  /// - Returns: the first damage, in words; nil when there is none.
  /// - Throws: what reading the file throws.
  func damage() throws -> String? {
    let pool = BlockPool(limit: Self.pieces, blockCapacity: Self.pieceSize)
    let channel = BoundedChannel<Block>(capacity: Self.pieces)
    let group = ThreadGroup(following: cancellation) { error in
      pool.fail(error)
      channel.fail(error)
    }
    let (file, end) = (file, index.offset)
    group.start("read-backup") {
      var block = try pool.take()
      try file.read(0..<end) { piece in
        if block.count + piece.count > Self.pieceSize, block.count > 0 {
          try channel.send(block)
          block = try pool.take()
        }
        block.append(piece)
      }
      try channel.send(block)
      channel.finish()
    }
    let source = Pieces(channel, pool)
    var found: String?
    do {
      do { try check(source) } catch let error as LogicalBackupError where error.code == .damaged {
        found = error.message
      }
      try source.drain()
    } catch { group.fail(error) }
    try group.join()
    return found
  }

  private func check(_ source: Pieces) throws {
    let tables = Dictionary(index.tables.map { ($0.number, $0) }) { first, _ in first }
    let reader = MemberReader(file)
    let compressed = Block(capacity: 256 << 10)
    let text = Block(capacity: 4 << 20)
    try index.forEachMember { member in
      try cancellation.check()
      compressed.reset()
      try source.take(member.length, into: compressed)
      try reader.decompress(compressed, of: member, into: text)
      if member.kind == .data, let table = member.table.flatMap({ tables[$0] }) {
        _ = try reader.rows(of: member, table, in: text)
      }
    }
  }

  /// The blocks of a channel as bytes one after the other.
  private final class Pieces {
    private let channel: BoundedChannel<Block>
    private let pool: BlockPool
    private var block: Block?
    private var cursor = 0

    init(_ channel: BoundedChannel<Block>, _ pool: BlockPool) {
      self.channel = channel
      self.pool = pool
    }

    func take(_ count: Int, into target: Block) throws {
      var left = count
      while left > 0 {
        guard let bytes = try current() else {
          throw LogicalBackupError(.damaged, "The file ends before the last member of its index.")
        }
        let taken = min(left, bytes.count - cursor)
        target.append(UnsafeRawBufferPointer(rebasing: bytes[cursor..<cursor + taken]))
        cursor += taken
        left -= taken
      }
    }

    func drain() throws {
      while let bytes = try current() { cursor = bytes.count }
    }

    /// The block with bytes left in it; nil at the end.
    private func current() throws -> UnsafeRawBufferPointer? {
      while true {
        if let block {
          if cursor < block.count { return block.bytes }
          pool.giveBack(block)
        }
        cursor = 0
        block = try channel.receive()
        if block == nil { return nil }
      }
    }
  }
}
