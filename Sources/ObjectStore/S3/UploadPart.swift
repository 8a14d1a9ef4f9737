import ByteStream
import Crypto
import Glibc

/// A part that is being filled, and then sent: in a block of the upload's pool, or, when it is
/// larger than memory should hold, in a file that has no name.
final class UploadPart: RequestBody, @unchecked Sendable {
  // Unchecked: it is filled by one thread, and then handed to another through a channel.
  /// Counted from 1.
  let number: Int
  /// Bytes that it is to hold.
  let capacity: Int
  /// The block that it fills; with a file, only its place in the pool.
  let block: Block
  private let file: SpoolFile?

  init(number: Int, capacity: Int, block: Block, spoolDirectory: String?) throws {
    self.number = number
    self.capacity = capacity
    self.block = block
    file = try spoolDirectory.map { try SpoolFile(in: $0) }
  }

  var count: Int { file?.count ?? block.count }

  /// Takes as many bytes as still fit, and says how many.
  func append(_ bytes: UnsafeRawBufferPointer) throws -> Int {
    let piece = UnsafeRawBufferPointer(rebasing: bytes.prefix(capacity - count))
    if let file { try file.append(piece) } else { block.append(piece) }
    return piece.count
  }

  func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    if let file { return try file.read(at: offset, into: buffer) }
    return BlockBody(block).read(at: offset, into: buffer)
  }

  /// SHA-256 in hexadecimal, and MD5 in base 64.
  func digests(withMD5: Bool) throws -> (sha256: String, md5: String?) {
    let sha256 = try Digest(.sha256)
    let md5 = withMD5 ? try Digest(.md5) : nil
    if file == nil {
      try sha256.update(block.bytes)
      try md5?.update(block.bytes)
    } else {
      try forEachPiece { piece in
        try sha256.update(piece)
        try md5?.update(piece)
      }
    }
    return (Hex.encode(try sha256.finish()), try md5.map { Base64.encode(try $0.finish()) })
  }
}

/// A file without a name, which is gone when it is closed.
final class SpoolFile {
  private let descriptor: Int32
  private let folder: String
  private(set) var count = 0

  init(in folder: String) throws {
    self.folder = folder
    let path = "\(folder)/pgkeep-spool-\(Hex.encode(try SecureRandom.bytes(8)))"
    descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else {
      throw FileFailure.error("cannot keep parts of an upload in", folder, errno)
    }
    unlink(path)
  }

  deinit { close(descriptor) }

  func append(_ bytes: UnsafeRawBufferPointer) throws {
    var rest = bytes
    while rest.count > 0 {
      let written = pwrite(descriptor, rest.baseAddress, rest.count, count)
      guard written >= 0 else {
        if errno == EINTR { continue }
        throw FileFailure.error("cannot keep parts of an upload in", folder, errno)
      }
      count += written
      rest = UnsafeRawBufferPointer(rebasing: rest[written...])
    }
  }

  func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    while true {
      let got = pread(descriptor, buffer.baseAddress, buffer.count, offset)
      if got >= 0 { return got }
      if errno != EINTR { throw FileFailure.error("cannot read parts kept in", folder, errno) }
    }
  }
}
