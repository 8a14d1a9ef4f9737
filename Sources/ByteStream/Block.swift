import Glibc

/// A reusable buffer of bytes that moves from thread to thread through a pipeline.
///
/// It has one owner at a time: whoever took it from a ``BlockPool`` or received it from a channel.
public final class Block: @unchecked Sendable {
  // Unchecked: ownership passes with the reference, through channels that synchronise; no two
  // threads use one block at the same time.

  /// The bytes that are allocated. Grows when a single row or large object needs it.
  public private(set) var capacity: Int
  /// The bytes that are filled.
  public private(set) var count = 0
  private var base: UnsafeMutableRawPointer
  private let initialCapacity: Int

  public init(capacity: Int) {
    self.capacity = capacity
    initialCapacity = capacity
    base = .allocate(byteCount: capacity, alignment: 64)
  }

  deinit { base.deallocate() }

  /// The filled bytes, valid until the block next changes.
  public var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }

  /// The bytes behind the filled ones, to write into; ``advance(by:)`` then counts them as filled.
  public var room: UnsafeMutableRawBufferPointer {
    UnsafeMutableRawBufferPointer(start: base + count, count: capacity - count)
  }

  /// Counts `bytes` of ``room`` as filled.
  public func advance(by bytes: Int) {
    precondition(bytes >= 0 && count + bytes <= capacity)
    count += bytes
  }

  /// Makes ``room`` at least `bytes` long, moving what is filled if need be.
  public func reserve(_ bytes: Int) {
    guard capacity - count < bytes else { return }
    move(to: max(capacity + capacity / 2, count + bytes))
  }

  /// Appends bytes, growing if need be.
  public func append(_ source: UnsafeRawBufferPointer) {
    guard let start = source.baseAddress, source.count > 0 else { return }
    reserve(source.count)
    (base + count).copyMemory(from: start, byteCount: source.count)
    count += source.count
  }

  /// Appends bytes, growing if need be.
  public func append(_ source: [UInt8]) { source.withUnsafeBytes { append($0) } }

  /// Forgets what is filled, and gives back what it had grown by.
  public func reset() {
    count = 0
    if capacity > initialCapacity { move(to: initialCapacity) }
  }

  /// Forgets all but the first `bytes` filled bytes.
  public func truncate(to bytes: Int) {
    precondition(bytes >= 0 && bytes <= count)
    count = bytes
  }

  /// Forgets the first `bytes` filled bytes and moves the others to the beginning.
  public func removeFirst(_ bytes: Int) {
    precondition(bytes >= 0 && bytes <= count)
    memmove(base, base + bytes, count - bytes)
    count -= bytes
  }

  /// Replaces filled bytes from `offset` on.
  public func overwrite(at offset: Int, _ source: [UInt8]) {
    precondition(offset >= 0 && offset + source.count <= count)
    source.withUnsafeBytes { bytes in
      guard let start = bytes.baseAddress else { return }
      (base + offset).copyMemory(from: start, byteCount: bytes.count)
    }
  }

  private func move(to newCapacity: Int) {
    let moved = UnsafeMutableRawPointer.allocate(byteCount: newCapacity, alignment: 64)
    moved.copyMemory(from: base, byteCount: count)
    base.deallocate()
    base = moved
    capacity = newCapacity
  }
}
