import ByteStream
import Glibc

/// A file of an incremental base backup that holds only some blocks of a relation.
///
/// The format is that of PostgreSQL 17 and 18 (src/backend/backup/basebackup_incremental.c and
/// basebackup.c): a magic number, how many blocks follow, below which block the older file's are
/// still right, the blocks' numbers, all 32 bits in the server's byte order; zeros up to a multiple
/// of the block size, where blocks follow; the blocks.
struct IncrementalFile {
  static let prefix = "INCREMENTAL."
  private static let magic: UInt32 = 0xD3AE_1F0D
  static let blockSize = 8192
  /// A segment of a relation has 1 GiB as a rule; builds may have more.
  private static let largest = 1 << 24

  private let path: String
  private let descriptor: Int32
  /// The numbers of the blocks that it holds, in order.
  let blocks: [UInt32]
  /// How many blocks the file has at least; those below that this backup does not hold are the
  /// older file's.
  let truncation: Int
  private let start: Int

  /// How many blocks the file has after this backup.
  var length: Int { max(truncation, blocks.last.map { Int($0) + 1 } ?? 0) }

  /// - Throws: ``PhysicalBackupError/Code/damaged`` when it is none.
  static func with<Result>(
    _ path: String, _ body: (IncrementalFile) throws -> Result
  ) throws -> Result {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
    guard descriptor >= 0 else { throw LocalFiles.failure("read", path) }
    defer { close(descriptor) }
    return try body(IncrementalFile(path, descriptor))
  }

  private init(_ path: String, _ descriptor: Int32) throws {
    self.path = path
    self.descriptor = descriptor
    let head = try Self.numbers(descriptor, 3, at: 0, path)
    let count = Int(head[1])
    guard head[0] == Self.magic, count <= Self.largest, Int(head[2]) <= Self.largest else {
      throw Self.damaged(path, "does not begin like one")
    }
    truncation = Int(head[2])
    blocks = try Self.numbers(descriptor, count, at: 12, path)
    guard zip(blocks, blocks.dropFirst()).allSatisfy({ $0 < $1 }),
      blocks.last ?? 0 < Self.largest
    else { throw Self.damaged(path, "has blocks that are not in order") }
    let headSize = 12 + 4 * count
    start =
      count == 0
      ? headSize : (headSize + Self.blockSize - 1) / Self.blockSize * Self.blockSize
    let size = lseek(descriptor, 0, SEEK_END)
    guard size == start + count * Self.blockSize else {
      throw Self.damaged(path, "has \(size) bytes for \(count) blocks")
    }
  }

  /// Writes what changed into the file as it was after the backup before, which then is as it was
  /// after this one.
  func apply(to target: Int32, _ targetPath: String, _ buffer: Block) throws {
    // At and behind the cut, blocks are the file's own only where this backup holds them; all others
    // are zeros there.
    let cut = truncation * Self.blockSize
    guard lseek(target, 0, SEEK_END) <= cut || ftruncate(target, cut) == 0,
      ftruncate(target, length * Self.blockSize) == 0
    else { throw LocalFiles.failure("resize", targetPath) }
    var index = 0
    while index < blocks.count {
      // Neighbours at once.
      var end = index + 1
      while end < blocks.count, blocks[end] == blocks[end - 1] + 1, end - index < 64 { end += 1 }
      let bytes = (end - index) * Self.blockSize
      buffer.reset()
      buffer.reserve(bytes)
      var done = 0
      while done < bytes {
        let count = pread(
          descriptor, buffer.room.baseAddress, bytes - done,
          start + index * Self.blockSize + done)
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { throw LocalFiles.failure("read", path) }
        buffer.advance(by: count)
        done += count
      }
      try LocalFiles.write(
        target, buffer.bytes, at: Int(blocks[index]) * Self.blockSize, targetPath)
      index = end
    }
  }

  private static func numbers(
    _ descriptor: Int32, _ count: Int, at offset: Int, _ path: String
  ) throws -> [UInt32] {
    var numbers = [UInt32](repeating: 0, count: count)
    let size = count * 4
    try numbers.withUnsafeMutableBytes { raw in
      var done = 0
      while done < size {
        let got = pread(descriptor, raw.baseAddress.map { $0 + done }, size - done, offset + done)
        if got < 0, errno == EINTR { continue }
        guard got >= 0 else { throw LocalFiles.failure("read", path) }
        guard got > 0 else { throw damaged(path, "is too short") }
        done += got
      }
    }
    return numbers
  }

  private static func damaged(_ path: String, _ what: String) -> PhysicalBackupError {
    PhysicalBackupError(
      .damaged, "the file \(path) of an incremental base backup cannot be used: it \(what)")
  }
}
