import ByteStream
import Synchronization

/// A sink that keeps what it was given, and what became of it.
final class MemorySink: ByteSink, Sendable {
  struct Failure: Error {}

  private struct State {
    var bytes: [UInt8] = []
    var isFinished = false
    var aborts = 0
  }

  private let state = Mutex(State())
  private let limit: Int

  /// - Parameter limit: bytes after which writing fails.
  init(limit: Int = .max) { self.limit = limit }

  var bytes: [UInt8] { state.withLock { $0.bytes } }
  var isFinished: Bool { state.withLock { $0.isFinished } }
  var aborts: Int { state.withLock { $0.aborts } }

  func write(_ bytes: UnsafeRawBufferPointer) throws {
    try state.withLock { state in
      guard state.bytes.count + bytes.count <= limit else { throw Failure() }
      state.bytes.append(contentsOf: bytes)
    }
  }

  func finish() { state.withLock { $0.isFinished = true } }
  func abort() { state.withLock { $0.aborts += 1 } }
}
