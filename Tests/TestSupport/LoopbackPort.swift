import Glibc
import Synchronization

/// TCP ports on 127.0.0.1.
public enum LoopbackPort {
  private static let given = Mutex<Set<Int>>([])

  /// A port that nothing listens on now, below the range that outgoing connections are given theirs
  /// from. It is given once per process.
  public static func free() throws -> Int {
    for _ in 0..<200 {
      // SeaweedFS takes the port that is higher by 10,000 as well: none of these, and below that
      // range too.
      let port = Int.random(in: 12_000..<22_000)
      guard isFree(port) && isFree(port + 10_000) else { continue }
      if given.withLock({ $0.insert(port).inserted }) { return port }
    }
    throw TestSupportError("no free port between 12000 and 22000")
  }

  /// Whether something accepts connections on the port.
  public static func answers(_ port: Int) -> Bool {
    withSocket(port) { connect($0, $1, $2) == 0 } ?? false
  }

  /// The status code with which an HTTP server on the port answers `GET path`; nil when nothing
  /// answers so.
  public static func httpStatus(_ port: Int, path: String = "/") -> Int? {
    let request = Array("GET \(path) HTTP/1.0\r\nHost: 127.0.0.1:\(port)\r\n\r\n".utf8)
    return withSocket(port) { descriptor, address, length -> Int? in
      guard connect(descriptor, address, length) == 0 else { return nil }
      var limit = timeval(tv_sec: 5, tv_usec: 0)
      setsockopt(
        descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
      guard send(descriptor, request, request.count, Int32(MSG_NOSIGNAL)) == request.count
      else { return nil }
      var answer = [UInt8](repeating: 0, count: 12)
      guard recv(descriptor, &answer, 12, Int32(MSG_WAITALL)) == 12 else { return nil }
      // HTTP/1.1 200
      return Int(String(decoding: answer[9...], as: UTF8.self))
    } ?? nil
  }

  private static func isFree(_ port: Int) -> Bool {
    withSocket(port) { descriptor, address, length in
      var yes: Int32 = 1
      setsockopt(
        descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
      return bind(descriptor, address, length) == 0
    } ?? false
  }

  private static func withSocket<T>(
    _ port: Int, _ body: (Int32, UnsafePointer<sockaddr>, socklen_t) -> T
  ) -> T? {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    return withAddress(port) { body(descriptor, $0, $1) }
  }

  /// Calls `body` with the address of a port on 127.0.0.1.
  static func withAddress<T>(_ port: Int, _ body: (UnsafePointer<sockaddr>, socklen_t) -> T) -> T {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(UInt16(port).bigEndian)
    address.sin_addr.s_addr = in_addr_t(UInt32(0x7f00_0001).bigEndian)
    return withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
  }
}
