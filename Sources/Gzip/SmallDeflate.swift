import ByteStream
import CZlib

/// zlib's compressor, the whole input in one call.
final class SmallDeflate: DeflateEngine {
  private let stream: UnsafeMutablePointer<z_stream>

  init(level: Int) throws {
    guard (1...9).contains(level) else {
      throw GzipError(.failed, "There is no zlib level \(level); levels are 1 to 9.")
    }
    stream = .allocate(capacity: 1)
    stream.initialize(to: z_stream())
    // 31 - 16 = 15 bits of window, negative for raw deflate; 9 is the most memory, and fastest.
    let status = deflateInit2_(
      stream, Int32(level), Z_DEFLATED, -15, 9, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
      Int32(MemoryLayout<z_stream>.size))
    guard status == Z_OK else {
      stream.deallocate()
      throw GzipError(.failed, "zlib could not start (status \(status)).")
    }
  }

  deinit {
    deflateEnd(stream)
    stream.deallocate()
  }

  func deflate(_ text: UnsafeRawBufferPointer, into output: Block) throws {
    guard deflateReset(stream) == Z_OK else {
      throw GzipError(.failed, "zlib could not start again.")
    }
    output.reserve(Int(deflateBound(stream, UInt(text.count))))
    let room = output.room
    // zlib does not write to its input.
    stream.pointee.next_in = UnsafeMutablePointer(
      mutating: text.baseAddress?.assumingMemoryBound(to: UInt8.self))
    stream.pointee.avail_in = UInt32(text.count)
    stream.pointee.next_out = room.baseAddress?.assumingMemoryBound(to: UInt8.self)
    stream.pointee.avail_out = UInt32(clamping: room.count)
    let status = CZlib.deflate(stream, Z_FINISH)
    guard status == Z_STREAM_END else {
      throw GzipError(.failed, "zlib could not compress (status \(status)).")
    }
    output.advance(by: Int(stream.pointee.total_out))
  }
}
