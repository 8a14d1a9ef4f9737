import ByteStream
import Glibc
import Synchronization

/// SIGINT, SIGTERM and SIGHUP stop a run in order; a second one ends the process at once.
///
/// The signals are blocked in all threads and taken by one thread with `sigwait`, so that no code
/// runs inside a signal handler. SIGPIPE and SIGXFSZ are ignored: writes say EPIPE and EFBIG.
final class Signals: Sendable {
  /// A signal that asked the run to stop.
  struct Stop: Sendable {
    var name: String
    var status: ExitStatus
  }

  private static let stops: [Int32: Stop] = [
    SIGINT: Stop(name: "SIGINT", status: .interrupted),
    SIGTERM: Stop(name: "SIGTERM", status: .terminated),
    SIGHUP: Stop(name: "SIGHUP", status: .hungUp),
  ]

  private let received = Mutex<Stop?>(nil)

  /// The first signal that came, once one has.
  var stop: Stop? { received.withLock { $0 } }

  /// Call before other threads are started, since they inherit which signals are blocked.
  init(cancelling cancellation: Cancellation, onStop: @escaping @Sendable (Stop) -> Void) {
    signal(SIGPIPE, SIG_IGN)
    signal(SIGXFSZ, SIG_IGN)
    var set = sigset_t()
    sigemptyset(&set)
    for number in Self.stops.keys where !Self.isIgnored(number) { sigaddset(&set, number) }
    pthread_sigmask(SIG_BLOCK, &set, nil)
    let waited = set
    JobThread.start("signals") { [self] in
      var set = waited
      while true {
        var number: Int32 = 0
        guard sigwait(&set, &number) == 0, let stop = Self.stops[number] else { continue }
        let isFirst = received.withLock { received in
          defer { received = received ?? stop }
          return received == nil
        }
        guard isFirst else { _exit(stop.status.rawValue) }
        onStop(stop)
        cancellation.cancel(reason: "\(stop.name) was received")
      }
    }
  }

  /// Whether the parent had the signal ignored (`nohup`, a background job): that is kept.
  private static func isIgnored(_ number: Int32) -> Bool {
    var action = sigaction()
    sigaction(number, nil, &action)
    return unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self)
      == unsafeBitCast(SIG_IGN, to: Int.self)
  }
}
