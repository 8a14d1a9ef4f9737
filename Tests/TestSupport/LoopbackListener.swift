import Foundation
import Glibc
import Synchronization

/// Listens on a free port of 127.0.0.1 and gives each connection to a thread of its own.
final class LoopbackListener: Sendable {
  /// The port.
  let port: Int
  private let descriptor: Int32
  private let open = Mutex(true)

  /// - Parameter serve: runs on a thread of the connection's own.
  init(_ serve: @escaping @Sendable (LoopbackSocket) -> Void) throws {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_in()
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let bound = LoopbackPort.withAddress(0) { bind(descriptor, $0, $1) == 0 }
    let named = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        getsockname(descriptor, $0, &length) == 0
      }
    }
    guard descriptor >= 0, bound, named, listen(descriptor, 64) == 0 else {
      throw TestSupportError("cannot listen on 127.0.0.1: \(String(cString: strerror(errno)))")
    }
    self.descriptor = descriptor
    port = Int(UInt16(bigEndian: address.sin_port))
    Thread {
      while true {
        var ready = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&ready, 1, -1) > 0 else { continue }
        if ready.revents & Int16(POLLHUP) != 0 { break }
        // Where children are started: none of them may inherit the connection.
        let accepted = SpawnThread.shared.run {
          let accepted = accept(descriptor, nil, nil)
          if accepted >= 0 { _ = fcntl(accepted, F_SETFD, FD_CLOEXEC) }
          return accepted
        }
        if accepted < 0 { continue }
        let connection = LoopbackSocket(accepted)
        Thread { serve(connection) }.start()
      }
      close(descriptor)
    }.start()
  }

  deinit { stop() }

  /// Takes no more connections. Those that are open go on.
  func stop() {
    open.withLock { open in
      // Wakes the thread that accepts; that one closes the socket.
      if open { shutdown(descriptor, Int32(SHUT_RDWR)) }
      open = false
    }
  }
}
