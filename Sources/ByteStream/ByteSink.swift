/// Where a stream of bytes goes.
///
/// Calls block, so they belong on a ``JobThread``. After ``finish()`` the bytes are durable and
/// visible under their final name; before it, or after ``abort()``, nothing is visible.
public protocol ByteSink: AnyObject {
  /// Takes bytes; it has copied or sent them when it returns.
  func write(_ bytes: UnsafeRawBufferPointer) throws
  /// Makes what was written durable and visible.
  func finish() throws
  /// Throws away what was written. Harmless after ``finish()``, and when called twice.
  func abort()
}

extension ByteSink {
  /// Takes bytes.
  public func write(_ bytes: [UInt8]) throws { try bytes.withUnsafeBytes { try write($0) } }
}
