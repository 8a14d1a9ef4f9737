import ByteStream
import CCurl
import Glibc

/// One request under way on a libcurl handle: what its callbacks read and write.
final class HTTPTransfer {
  let request: HTTPRequest
  let cancellation: Cancellation
  private let onHead: (HTTPHead) throws -> Bool
  private let onBody: (UnsafeRawBufferPointer) throws -> Void

  private(set) var head = HTTPHead(status: 0, headers: [:])
  /// The body, when `onHead` did not ask for it piece by piece.
  private(set) var collected: [UInt8] = []
  /// What a closure or the body's source threw.
  private(set) var failure: (any Error)?
  private(set) var isStalled = false

  private var sent = 0
  private var isStreamed = false
  private var isHeadDone = false
  private var lastMoved = HTTPTransfer.clock()
  private var moved: Int64 = 0

  /// Bytes of a body that is not asked for piece by piece: S3's answers are XML of 1,000 keys.
  static let largestCollected = 16 << 20

  init(
    _ request: HTTPRequest, cancellation: Cancellation,
    onHead: @escaping (HTTPHead) throws -> Bool,
    onBody: @escaping (UnsafeRawBufferPointer) throws -> Void
  ) {
    self.request = request
    self.cancellation = cancellation
    self.onHead = onHead
    self.onBody = onBody
  }

  /// Seconds of a clock that never jumps.
  static func clock() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }

  // MARK: What libcurl calls

  func send(into buffer: UnsafeMutableRawBufferPointer) -> Int {
    guard let body = request.body else { return 0 }
    do {
      let count = try body.read(at: sent, into: buffer)
      sent += count
      return count
    } catch {
      failure = error
      return Int(CURL_READFUNC_ABORT)
    }
  }

  /// libcurl sends again from `offset` when a connection that it reused turned out to be dead.
  func seek(to offset: Int) { sent = offset }

  func takeHeader(_ line: UnsafeRawBufferPointer) {
    let text = String(decoding: line, as: UTF8.self)
    if text.hasPrefix("HTTP/") {
      // A new answer: what came before was "100 Continue".
      let parts = text.split(separator: " ", maxSplits: 2)
      head = HTTPHead(status: parts.count > 1 ? Int(parts[1].prefix(3)) ?? 0 : 0, headers: [:])
      return
    }
    guard let colon = text.firstIndex(of: ":") else { return }
    let value = text[text.index(after: colon)...]
    head.headers[text[..<colon].lowercased()] = value.trimmingBlanks()
  }

  /// False when a closure threw.
  func take(_ bytes: UnsafeRawBufferPointer) -> Bool {
    defer { lastMoved = Self.clock() }
    do {
      try finishHead()
      if isStreamed {
        try onBody(bytes)
      } else {
        guard collected.count + bytes.count <= Self.largestCollected else {
          throw HTTPFailure(kind: .protocolError, description: "the answer is too large")
        }
        collected.append(contentsOf: bytes)
      }
      return true
    } catch {
      failure = error
      return false
    }
  }

  /// The head is whole when the first byte of the body comes, or when there is none.
  func finishHead() throws {
    guard !isHeadDone else { return }
    isHeadDone = true
    isStreamed = try onHead(head)
  }

  /// False when the transfer should end.
  func mayContinue(bytes: Int64) -> Bool {
    if cancellation.isCancelled { return false }
    let now = Self.clock()
    if bytes != moved {
      moved = bytes
      lastMoved = now
    } else if now - lastMoved > request.stallTimeout {
      isStalled = true
      return false
    }
    return true
  }
}

extension StringProtocol {
  /// Without blanks and line ends at both ends.
  func trimmingBlanks() -> String {
    let isBlank: (Character) -> Bool = { $0 == " " || $0 == "\t" || $0.isNewline }
    let start = drop(while: isBlank)
    guard let last = start.lastIndex(where: { !isBlank($0) }) else { return "" }
    return String(start[...last])
  }
}
