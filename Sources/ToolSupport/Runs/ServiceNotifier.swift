import Glibc

/// Tells a service manager how a long-running command is: readiness, a line of status, signs of
/// life (systemd's `sd_notify` protocol: datagrams to the socket that `NOTIFY_SOCKET` names).
/// Without that variable nothing happens.
public final class ServiceNotifier: Sendable {
  private let address: String?

  /// - Parameter environment: where `NOTIFY_SOCKET` is looked up.
  public init(_ environment: Environment) { address = environment["NOTIFY_SOCKET"] }

  /// The service is up.
  public func ready(_ status: String) { send("READY=1\nSTATUS=\(status)") }

  /// The service lives; with the watchdog on, to be said at least twice in each of its periods.
  public func alive(_ status: String) { send("WATCHDOG=1\nSTATUS=\(status)") }

  /// The service is about to end.
  public func stopping() { send("STOPPING=1") }

  private func send(_ message: String) {
    guard let address, let first = address.utf8.first else { return }
    let socket = Glibc.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard socket >= 0 else { return }
    defer { close(socket) }
    var target = sockaddr_un()
    target.sun_family = sa_family_t(AF_UNIX)
    var name = Array(address.utf8)
    guard name.count < MemoryLayout.size(ofValue: target.sun_path) else { return }
    // An abstract socket's name begins with a zero byte, written as @.
    if first == UInt8(ascii: "@") { name[0] = 0 }
    withUnsafeMutableBytes(of: &target.sun_path) { $0.copyBytes(from: name) }
    let length = socklen_t(MemoryLayout<sa_family_t>.size + name.count)
    let bytes = Array(message.utf8)
    _ = withUnsafePointer(to: &target) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        sendto(socket, bytes, bytes.count, Int32(MSG_NOSIGNAL), $0, length)
      }
    }
  }
}
