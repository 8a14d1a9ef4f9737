/// Where a stream of bytes comes from. Calls block, so they belong on a ``JobThread``.
public protocol ByteSource: AnyObject {
  /// Fills `buffer` with as many bytes as there are ready, at least one; 0 at the end.
  func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int
}
