import Glibc

/// Blocking work on a thread of its own, never on the cooperative pool.
public enum JobThread {
  /// Runs `body` on a new thread and waits for it without blocking a thread of the cooperative
  /// pool. This is the one bridge between `async` callers and the blocking libraries.
  ///
  /// When the calling task is cancelled, `cancellation` is.
  public static func run<Result: Sendable>(
    _ name: String, cancellation: Cancellation = Cancellation(),
    _ body: @escaping @Sendable () throws -> Result
  ) async throws -> Result {
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        start(name) { continuation.resume(with: Swift.Result { try body() }) }
      }
    } onCancel: {
      cancellation.cancel(reason: "cancelled")
    }
  }

  /// Starts a detached thread. ``ThreadGroup`` is for work whose end matters.
  ///
  /// - Parameter name: what `top -H` shows; Linux keeps the first 15 bytes.
  public static func start(_ name: String, _ body: @escaping @Sendable () -> Void) {
    final class Box {
      let name: String
      let body: @Sendable () -> Void
      init(_ name: String, _ body: @escaping @Sendable () -> Void) {
        self.name = name
        self.body = body
      }
    }
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    defer { pthread_attr_destroy(&attributes) }
    pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
    pthread_attr_setstacksize(&attributes, 1 << 20)
    let box = Unmanaged.passRetained(Box(name, body))
    var thread = pthread_t()
    let status = pthread_create(
      &thread, &attributes,
      { argument in
        guard let argument else { return nil }
        let box = Unmanaged<Box>.fromOpaque(argument).takeRetainedValue()
        JobThread.nameThisThread(box.name)
        box.body()
        return nil
      }, box.toOpaque())
    guard status == 0 else {
      // No thread to be had: the work still has to be done and answered, so do it here.
      box.release()
      return body()
    }
  }

  /// Linux takes a thread's name from this file too; glibc's own call is hidden from Swift.
  private static func nameThisThread(_ name: String) {
    let file = open("/proc/thread-self/comm", O_WRONLY | O_CLOEXEC)
    guard file >= 0 else { return }
    let bytes = Array(name.utf8.prefix(15))
    _ = write(file, bytes, bytes.count)
    close(file)
  }
}
