import ByteStream
import Glibc

/// Bytes that are written once and then read as often as need be: in memory while they are few,
/// in a temporary file without a name when they are many.
final class Spool: @unchecked Sendable {
  // Unchecked: it is written by one thread and only read afterwards; reading moves nothing.

  private(set) var count = 0
  private var memory: [UInt8] = []
  private var descriptor: Int32 = -1
  private let limit: Int

  /// - Parameter limit: bytes to hold in memory before a file is made.
  init(limit: Int = 1 << 20) { self.limit = limit }

  deinit { if descriptor >= 0 { close(descriptor) } }

  func append(_ bytes: UnsafeRawBufferPointer) throws {
    memory.append(contentsOf: bytes)
    count += bytes.count
    if memory.count > limit { try spill() }
  }

  func append(_ bytes: [UInt8]) throws { try bytes.withUnsafeBytes { try append($0) } }

  /// Reads bytes from `offset` on; 0 at the end.
  func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    let onDisk = count - memory.count
    guard offset < onDisk else {
      let rest = memory[min(offset - onDisk, memory.count)...].prefix(buffer.count)
      buffer.copyBytes(from: rest)
      return rest.count
    }
    let wanted = min(buffer.count, onDisk - offset)
    let got = pread(descriptor, buffer.baseAddress, wanted, off_t(offset))
    guard got > 0 else { throw Self.failure("read", got == 0 ? EIO : errno) }
    return got
  }

  /// All bytes from the beginning, as a stream.
  func source() -> any ByteSource { Source(self) }

  private func spill() throws {
    if descriptor < 0 { descriptor = try Self.openFile() }
    var offset = count - memory.count
    try memory.withUnsafeBytes { bytes in
      var rest = bytes[...]
      while !rest.isEmpty {
        let piece = UnsafeRawBufferPointer(rebasing: rest)
        let written = pwrite(descriptor, piece.baseAddress, piece.count, off_t(offset))
        guard written > 0 else { throw Self.failure("written", errno) }
        offset += written
        rest = rest.dropFirst(written)
      }
    }
    memory.removeAll(keepingCapacity: true)
  }

  private static var folder: String {
    guard let value = getenv("TMPDIR") else { return "/tmp" }
    let path = String(cString: value)
    return path.isEmpty ? "/tmp" : path
  }

  private static func openFile() throws -> Int32 {
    var template = Array("\(folder)/pgkeep-XXXXXX".utf8CString)
    let descriptor = mkstemp(&template)
    guard descriptor >= 0 else { throw failure("made", errno) }
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    // Without a name nobody has to remove it, whatever becomes of us.
    unlink(template)
    return descriptor
  }

  private static func failure(_ what: String, _ number: Int32) -> LogicalBackupError {
    LogicalBackupError(
      .localFile,
      "A temporary file in \(folder) could not be \(what): \(String(cString: strerror(number))). "
        + "Set TMPDIR to a folder with room.")
  }

  private final class Source: ByteSource {
    private let spool: Spool
    private var offset = 0

    init(_ spool: Spool) { self.spool = spool }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
      let got = try spool.read(at: offset, into: buffer)
      offset += got
      return got
    }
  }
}
