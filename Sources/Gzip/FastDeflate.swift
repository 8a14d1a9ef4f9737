import ByteStream
import CISAL

/// ISA-L's compressor at level 1, the whole input in one call.
final class FastDeflate: DeflateEngine {
  private let stream: UnsafeMutablePointer<isal_zstream>
  private let levelBuffer: UnsafeMutablePointer<UInt8>
  /// ISAL_DEF_LVL1_DEFAULT: the header's macros are not visible to Swift.
  private static let levelBufferSize = (4 + 2 * 8 + 4 * 64) * 1024

  init() {
    stream = .allocate(capacity: 1)
    levelBuffer = .allocate(capacity: Self.levelBufferSize)
  }

  deinit {
    stream.deallocate()
    levelBuffer.deallocate()
  }

  func deflate(_ text: UnsafeRawBufferPointer, into output: Block) throws {
    // Enough for data that do not compress; more is taken when it is not.
    var room = text.count + text.count / 64 + 1024
    while true {
      output.reserve(room)
      let status = run(text, output)
      if status == COMP_OK { return }
      guard status == STATELESS_OVERFLOW, room < 2 * text.count + 65_536 else {
        throw GzipError(.failed, "ISA-L could not compress (status \(status)).")
      }
      room += room / 2
    }
  }

  private func run(_ text: UnsafeRawBufferPointer, _ output: Block) -> Int32 {
    let room = output.room
    isal_deflate_stateless_init(stream)
    stream.pointee.level = 1
    stream.pointee.level_buf = levelBuffer
    stream.pointee.level_buf_size = UInt32(Self.levelBufferSize)
    stream.pointee.end_of_stream = 1
    stream.pointee.flush = UInt16(NO_FLUSH)
    stream.pointee.gzip_flag = UInt16(IGZIP_DEFLATE)
    // ISA-L does not write to its input.
    stream.pointee.next_in = UnsafeMutablePointer(
      mutating: text.baseAddress?.assumingMemoryBound(to: UInt8.self))
    stream.pointee.avail_in = UInt32(text.count)
    stream.pointee.next_out = room.baseAddress?.assumingMemoryBound(to: UInt8.self)
    stream.pointee.avail_out = UInt32(clamping: room.count)
    let status = isal_deflate_stateless(stream)
    if status == COMP_OK { output.advance(by: Int(stream.pointee.total_out)) }
    return status
  }
}
