import CISAL

/// ISA-L's decompressor for the deflate data and the trailer of one gzip member, in pieces.
///
/// It checks the trailer's CRC32 itself and, on the way, consumes exactly the member's bytes: the
/// eight bytes that it may read ahead are the trailer's.
final class Inflate {
  private let state: UnsafeMutablePointer<inflate_state>
  /// Decompressed bytes so far.
  private(set) var total = 0

  init() { state = .allocate(capacity: 1) }

  deinit { state.deallocate() }

  /// Makes ready for a member whose header has been read.
  func start() {
    isal_inflate_init(state)
    state.pointee.crc_flag = UInt32(ISAL_GZIP_NO_HDR_VER)
    total = 0
  }

  /// Whether the member has ended, trailer included.
  var isFinished: Bool { state.pointee.block_state == ISAL_BLOCK_FINISH }

  /// Decompresses as much as `input` and `output` allow.
  func run(
    _ input: UnsafeRawBufferPointer, _ output: UnsafeMutableRawBufferPointer
  ) throws -> (consumed: Int, produced: Int) {
    let offered = UInt32(clamping: input.count)
    let room = UInt32(clamping: output.count)
    // ISA-L does not write to its input.
    state.pointee.next_in = UnsafeMutablePointer(
      mutating: input.baseAddress?.assumingMemoryBound(to: UInt8.self))
    state.pointee.avail_in = offered
    state.pointee.next_out = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
    state.pointee.avail_out = room
    let status = isal_inflate(state)
    guard status >= 0 else {
      guard status != ISAL_INCORRECT_CHECKSUM else {
        throw GzipError(
          .checksumMismatch, "The gzip data were changed: their checksum or length is wrong.")
      }
      throw GzipError(.corrupt, "The gzip data are damaged and cannot be decompressed.")
    }
    let produced = Int(room - state.pointee.avail_out)
    total += produced
    return (Int(offered - state.pointee.avail_in), produced)
  }
}
