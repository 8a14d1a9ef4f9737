import Foundation
import Glibc
import Synchronization

/// Stands between an S3 client and a server on 127.0.0.1, sees each request, and answers some of
/// them itself, loses their answers or cuts their bodies.
///
/// It serves one request per connection and says so to the client. The `Host` header passes
/// unchanged, so signatures stay valid.
public final class HTTPFaultProxy: Sendable {
  /// The head of a request.
  public struct Request: Sendable, CustomStringConvertible {
    /// `PUT`, `GET`, …
    public let method: String
    /// Path and query as sent.
    public let target: String
    /// The headers, by their names in small letters.
    public let headers: [String: String]
    /// Method and target.
    public var description: String { "\(method) \(target)" }
  }

  /// What is done with a request.
  public enum Action: Sendable {
    /// The server gets it and its answer comes back.
    case forward
    /// The body is read, and the client gets this answer; the server sees nothing of it.
    case answer(status: Int, body: String = "", headers: [String: String] = [:])
    /// The server carries it out, and the client loses the connection before any answer.
    case loseAnswer
    /// The connection is reset after that many bytes of the request's body were read.
    case cutRequest(afterBytes: Int)
    /// The connection is reset after that many bytes of the server's answer, head included.
    case cutAnswer(afterBytes: Int)
    /// Nothing comes back for that long, and then the connection is reset.
    case stall(Duration)
    /// The server gets it that much later, and its answer comes back.
    case delay(Duration)
    /// The connection ends neatly after that many bytes of the server's answer, head included.
    case endAnswer(afterBytes: Int)
    /// The server's answer says that its body has that many bytes more, or fewer, than it has.
    case wrongLength(by: Int)
    /// The server's answer comes back twice on one connection.
    case repeatAnswer

    /// An answer as S3 gives an error.
    public static func s3Error(_ status: Int, _ code: String, headers: [String: String] = [:])
      -> Action
    {
      .answer(
        status: status,
        body: """
          <?xml version="1.0" encoding="UTF-8"?>
          <Error><Code>\(code)</Code><Message>made by a test</Message>\
          <Resource>/</Resource><RequestId>1</RequestId></Error>
          """, headers: headers)
    }
  }

  private struct Rule: Sendable {
    var times: Int
    let action: Action
    let matches: @Sendable (Request) -> Bool
  }

  private final class State: Sendable {
    let rules = Mutex<[Rule]>([])
    let requests = Mutex<[Request]>([])
  }

  /// `http://127.0.0.1:PORT`, for the client.
  public var endpoint: String { "http://127.0.0.1:\(listener.port)" }
  /// The port to give to the client.
  public var port: Int { listener.port }
  private let state = State()
  private let listener: LoopbackListener

  /// Starts a proxy for the server on `port` of 127.0.0.1.
  public init(to port: Int) throws {
    listener = try LoopbackListener { [state] client in
      Self.serve(client, port: port, state: state)
    }
  }

  deinit { listener.stop() }

  /// Does `action` with the next `times` requests that match. Of several rules that match, the
  /// oldest one with times left holds.
  public func add(
    _ action: Action, times: Int = Int.max,
    when matches: @escaping @Sendable (Request) -> Bool = { _ in true }
  ) {
    state.rules.withLock { $0.append(Rule(times: times, action: action, matches: matches)) }
  }

  /// Forgets all rules.
  public func clear() { state.rules.withLock { $0 = [] } }

  /// All requests up to now, in the order in which their heads came.
  public var requests: [Request] { state.requests.withLock { $0 } }

  private static func serve(_ client: LoopbackSocket, port: Int, state: State) {
    guard var message = readHead(client) else { return client.cut(reset: false) }
    let request = message.request
    state.requests.withLock { $0.append(request) }
    let action = state.rules.withLock { rules in
      guard let index = rules.firstIndex(where: { $0.times > 0 && $0.matches(request) }) else {
        return Action.forward
      }
      rules[index].times -= 1
      return rules[index].action
    }
    if request.headers["expect"]?.lowercased() == "100-continue" {
      _ = client.write("HTTP/1.1 100 Continue\r\n\r\n".utf8)
    }
    var left = Int(request.headers["content-length"] ?? "0") ?? 0

    /// The next piece of the body; empty at its end, nil when the client is gone.
    func nextOfBody() -> [UInt8]? {
      if left == 0 { return [] }
      var piece = message.rest
      message.rest = []
      if piece.isEmpty { piece = client.read() }
      if piece.isEmpty { return nil }
      piece = Array(piece.prefix(left))
      left -= piece.count
      return piece
    }

    switch action {
    case .answer(let status, let body, let headers):
      while let piece = nextOfBody(), !piece.isEmpty {}
      var head = "HTTP/1.1 \(status) Answer\r\nContent-Length: \(body.utf8.count)\r\n"
      for (name, value) in headers { head += "\(name): \(value)\r\n" }
      head += "Content-Type: application/xml\r\nConnection: close\r\n\r\n"
      _ = client.write((head + (request.method == "HEAD" ? "" : body)).utf8)
      client.finishWriting()
      // The client closes; a close from here could overtake the answer.
      while !client.read().isEmpty {}
      return
    case .cutRequest(let count):
      var seen = 0
      while seen < count, let piece = nextOfBody(), !piece.isEmpty { seen += piece.count }
      return client.cut()
    case .stall(let duration):
      while let piece = nextOfBody(), !piece.isEmpty {}
      usleep(microseconds(duration))
      return client.cut()
    case .delay(let duration): usleep(microseconds(duration))
    case .forward, .loseAnswer, .cutAnswer, .endAnswer, .wrongLength, .repeatAnswer: break
    }

    guard let server = LoopbackSocket(to: port), server.write(message.forwardedHead.utf8) else {
      return client.cut()
    }
    while let piece = nextOfBody(), !piece.isEmpty {
      if !server.write(piece) { break }
    }
    var limit = Int.max
    switch action {
    case .cutAnswer(let count): limit = count
    case .loseAnswer:
      while !server.read().isEmpty {}
      return client.cut()
    case .endAnswer, .wrongLength, .repeatAnswer:
      var answer: [UInt8] = []
      while case let piece = server.read(), !piece.isEmpty { answer += piece }
      _ = client.write(changed(answer, action))
      client.finishWriting()
      while !client.read().isEmpty {}
      return
    default: break
    }
    while true {
      let piece = server.read()
      if piece.isEmpty { break }
      if !client.write(piece.prefix(limit)) { return server.cut() }
      limit -= min(limit, piece.count)
      if limit == 0 {
        server.cut()
        return client.cut()
      }
    }
    client.finishWriting()
    while !client.read().isEmpty {}
  }

  private static func microseconds(_ duration: Duration) -> UInt32 {
    UInt32(
      duration.components.seconds * 1_000_000 + duration.components.attoseconds
        / 1_000_000_000_000)
  }

  /// A whole answer with the fault that the action says.
  private static func changed(_ answer: [UInt8], _ action: Action) -> [UInt8] {
    switch action {
    case .endAnswer(let count): return Array(answer.prefix(count))
    case .repeatAnswer: return answer + answer
    case .wrongLength(let difference):
      guard let end = answer.firstRange(of: Array("\r\n\r\n".utf8)) else { return answer }
      let lines = String(decoding: answer[..<end.lowerBound], as: UTF8.self)
        .components(separatedBy: "\r\n")
        .map { line -> String in
          guard line.lowercased().hasPrefix("content-length:"),
            let length = Int(line.dropFirst(15).trimmingCharacters(in: .whitespaces))
          else { return line }
          return "Content-Length: \(max(0, length + difference))"
        }
      return Array(lines.joined(separator: "\r\n").utf8) + answer[end.lowerBound...]
    default: return answer
    }
  }

  private struct Message {
    let request: Request
    /// The head as the server gets it: one request per connection.
    let forwardedHead: String
    /// What came of the body together with the head.
    var rest: [UInt8]
  }

  private static func readHead(_ client: LoopbackSocket) -> Message? {
    var bytes: [UInt8] = []
    let end = Array("\r\n\r\n".utf8)
    while true {
      let piece = client.read()
      if piece.isEmpty || bytes.count > 1_000_000 { return nil }
      let from = max(0, bytes.count - 3)
      bytes += piece
      guard let index = bytes[from...].firstRange(of: end) else { continue }
      let lines = String(decoding: bytes[..<index.lowerBound], as: UTF8.self)
        .components(separatedBy: "\r\n")
      let words = lines[0].split(separator: " ")
      guard words.count == 3 else { return nil }
      var headers: [String: String] = [:]
      var forwarded = [lines[0]]
      for line in lines.dropFirst() {
        guard let colon = line.firstIndex(of: ":") else { continue }
        let name = line[..<colon].lowercased()
        let value = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
        headers[name] = value
        if name != "connection" && name != "expect" { forwarded.append(line) }
      }
      return Message(
        request: Request(method: String(words[0]), target: String(words[1]), headers: headers),
        forwardedHead: (forwarded + ["Connection: close", "", ""]).joined(separator: "\r\n"),
        rest: Array(bytes[index.upperBound...]))
    }
  }
}
