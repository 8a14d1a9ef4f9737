import Foundation
import Glibc
import Synchronization

/// One end of a TCP connection on 127.0.0.1; blocking. Closed when the last reference to it goes.
final class LoopbackSocket: Sendable {
  private let descriptor: Int32

  /// Takes over an open socket.
  init(_ descriptor: Int32) {
    self.descriptor = descriptor
    var yes: Int32 = 1
    setsockopt(
      descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(MemoryLayout<Int32>.size))
  }

  /// Connects to a port; nil when nothing listens there.
  convenience init?(to port: Int) {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { return nil }
    let connected = LoopbackPort.withAddress(port) { Glibc.connect(descriptor, $0, $1) == 0 }
    guard connected else {
      close(descriptor)
      return nil
    }
    self.init(descriptor)
  }

  deinit { close(descriptor) }

  /// The next bytes, at most `count`; empty at the end and after an error.
  func read(atMost count: Int = 65536) -> [UInt8] {
    var buffer = [UInt8](repeating: 0, count: count)
    while true {
      let received = recv(descriptor, &buffer, count, 0)
      if received > 0 { return Array(buffer[..<received]) }
      if received < 0, errno == EINTR { continue }
      return []
    }
  }

  /// Writes all bytes; false when the other side is gone.
  func write(_ bytes: some Collection<UInt8>) -> Bool {
    let bytes = Array(bytes)
    var sent = 0
    while sent < bytes.count {
      let count = bytes[sent...].withUnsafeBytes {
        send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      if count > 0 {
        sent += count
      } else if errno != EINTR {
        return false
      }
    }
    return true
  }

  /// Says to the other side that no more bytes come.
  func finishWriting() { shutdown(descriptor, Int32(SHUT_WR)) }

  /// Ends the connection for both sides at once, whoever waits in `read` or `write`.
  ///
  /// - Parameter reset: as when a host dies: the other side gets an error and not an end.
  func cut(reset: Bool = true) {
    if reset {
      var now = linger(l_onoff: 1, l_linger: 0)
      setsockopt(
        descriptor, SOL_SOCKET, SO_LINGER, &now, socklen_t(MemoryLayout<linger>.size))
      // Connecting a socket to no address resets it, without waiting for the last reference.
      var none = sockaddr(
        sa_family: sa_family_t(AF_UNSPEC),
        sa_data: (
          0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
        ))
      _ = Glibc.connect(descriptor, &none, socklen_t(MemoryLayout<sockaddr>.size))
    }
    shutdown(descriptor, Int32(SHUT_RDWR))
  }
}
