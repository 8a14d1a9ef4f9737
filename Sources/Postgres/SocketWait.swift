import ByteStream
import Glibc

/// Waiting for a connection's socket, in slices short enough to notice a cancelled run.
enum SocketWait {
  /// How long one slice is, in milliseconds.
  static let slice: Int32 = 200

  /// Waits one slice for `events` on `socket`; false when nothing happened in it.
  ///
  /// - Throws: ``PostgresError/Code/cancelled`` when the run is cancelled.
  static func once(
    _ socket: Int32, _ events: Int16, cancellation: Cancellation?
  ) throws -> Bool {
    if let reason = cancellation?.reason {
      throw PostgresError(.cancelled, "Stopped: \(reason).")
    }
    var descriptor = pollfd(fd: socket, events: events, revents: 0)
    return poll(&descriptor, 1, slice) > 0
  }
}
