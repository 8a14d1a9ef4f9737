import ByteStream
import Crypto
import Glibc

/// Signed requests to one bucket, retried while that makes sense.
struct S3Client: Sendable {
  let bucket: String
  let endpoint: S3Endpoint
  let settings: S3Settings
  let credentials: any CredentialsSource
  let pool: HTTPPool

  /// One request, before it is signed.
  struct Call {
    var method: String
    /// Nil for the bucket itself.
    var key: String?
    var query: [(String, String)] = []
    var headers: [(String, String)] = []
    var body: (any RequestBody)?
    /// The body's SHA-256 in hexadecimal.
    var payloadHash = SignatureV4.emptyHash
    /// "cannot write x", for the error's first words.
    var what: String
    /// Statuses that are no error.
    var accepted: Set<Int> = [200, 204, 206]
    var cancellation: Cancellation
    /// Called before each try, for what depends on what has arrived so far.
    var prepare: ((inout Call) -> Void)?
    /// Bytes that have arrived for good: when some have, the tries start anew.
    var progress: (() -> Int)?
    /// Seconds on top of the deadline: large bodies take longer.
    var extraTime: Double = 0
    /// A look at an answer that was accepted: throwing makes it an error, and is retried where
    /// ``Retry`` is thrown.
    var check: ((HTTPHead, [UInt8]) throws -> Void)?
  }

  /// An answer that was accepted by its status but is no success, such as a 200 with an error in
  /// its body.
  struct Refused: Error {
    let answer: ObjectStoreError.Answer
  }

  /// What came back.
  struct Reply {
    let head: HTTPHead
    let body: [UInt8]
    /// Whether an earlier try of the same request got no clear answer, and may have done its work.
    let isRepeated: Bool
  }

  /// Sends a call until it succeeds, fails for good, or the deadline has passed.
  func send(
    _ call: Call, onHead: @escaping (HTTPHead) throws -> Bool = { _ in false },
    onBody: @escaping (UnsafeRawBufferPointer) throws -> Void = { _ in }
  ) throws -> Reply {
    var call = call
    var retry = Retry(settings, extraTime: call.extraTime)
    var isRepeated = false
    var arrived = 0
    while true {
      if let now = call.progress?(), now > arrived {
        arrived = now
        retry = Retry(settings, extraTime: call.extraTime)
      }
      call.prepare?(&call)
      let signer = try credentials.credentials(cancellation: call.cancellation)
      do {
        // A body that comes piece by piece may take as long as it moves.
        let timeout = call.progress == nil ? retry.secondsLeft : 7 * 86400
        let request = try signed(call, with: signer, timeout: timeout)
        let (head, body) = try pool.send(
          request, cancellation: call.cancellation, onHead: onHead, onBody: onBody)
        if call.accepted.contains(head.status) {
          try Self.checkNoErrorInside(head, body)
          try call.check?(head, body)
          return Reply(head: head, body: body, isRepeated: isRepeated)
        }
        let answer = S3Failure.answer(head, body: body)
        if S3Failure.isExpired(answer) { credentials.discard(signer) }
        let mayRetry = S3Failure.isTransient(answer) || S3Failure.isExpired(answer)
        guard mayRetry, retry.next(after: head.headers["retry-after"]) else {
          throw S3Failure.error(place(call), answer, head: head, key: call.key)
        }
        // A server that failed in the middle may still have done the work.
        if head.status >= 500 { isRepeated = true }
      } catch let refused as Refused {
        guard S3Failure.isTransient(refused.answer), retry.next(after: nil) else {
          throw S3Failure.error(
            place(call), refused.answer, head: HTTPHead(status: 200, headers: [:]), key: call.key)
        }
        isRepeated = true
      } catch let failure as HTTPFailure {
        guard failure.isTransient, retry.next(after: nil) else {
          throw ObjectStoreError(
            .unreachable,
            "\(place(call)): no whole answer from \(endpoint.scheme)://\(host)"
              + (retry.tries > 1 ? " in \(retry.tries) tries" : ""), key: call.key, cause: failure)
        }
        isRepeated = true
      }
      try retry.wait(call.cancellation)
    }
  }

  /// Throws ``Refused`` for an answer that says success in its status and failure in its body.
  private static func checkNoErrorInside(_ head: HTTPHead, _ body: [UInt8]) throws {
    guard head.status < 300, body.count < 1 << 16, let xml = try? XMLElement(parsing: body),
      xml.name == "Error"
    else { return }
    throw Refused(answer: S3Failure.answer(head, body: body))
  }

  /// A ``Call/check``: what takes an object's bytes answers with an ETag, or it was not S3.
  static func checkETag(_ head: HTTPHead, _ body: [UInt8]) throws {
    guard head.headers["etag"]?.isEmpty != false else { return }
    throw HTTPFailure(kind: .reset, description: "the answer is not S3's: it has no ETag")
  }

  private var host: String { endpoint.host(bucket: bucket) }

  private func place(_ call: Call) -> String { "\(call.what) in s3://\(bucket)" }

  /// The request with its signature.
  func signed(_ call: Call, with signer: Credentials, timeout: Double) throws -> HTTPRequest {
    let now = UTCTime.now()
    let path = endpoint.path(bucket: bucket, key: call.key)
    var headers = call.headers
    headers.append(("x-amz-content-sha256", call.payloadHash))
    headers.append(("x-amz-date", now.compact))
    if let token = signer.sessionToken { headers.append(("x-amz-security-token", token)) }
    let authorization = try SignatureV4(credentials: signer, region: endpoint.region)
      .authorization(
        method: call.method, path: path, query: call.query, headers: headers + [("host", host)],
        payloadHash: call.payloadHash, at: now)
    headers.append(("Authorization", authorization))
    let query = SignatureV4.encodedQuery(call.query)
    return HTTPRequest(
      method: call.method,
      url: "\(endpoint.scheme)://\(host)\(path)" + (query.isEmpty ? "" : "?" + query),
      headers: headers, body: call.body, timeout: timeout, stallTimeout: settings.stallTimeout)
  }
}

/// How often, and after how long, something is tried again.
struct Retry {
  private(set) var tries = 1
  private let attempts: Int
  private let firstDelay: Double
  private let end: Double
  private var asked: Double = 0

  init(_ settings: S3Settings, extraTime: Double = 0) {
    attempts = settings.attempts
    firstDelay = settings.firstRetryDelay
    end = HTTPTransfer.clock() + settings.deadline + extraTime
  }

  /// Seconds before the deadline; never nothing, so that the first try is always made.
  var secondsLeft: Double { max(1, end - HTTPTransfer.clock()) }

  /// Whether there is to be another try.
  ///
  /// - Parameter header: the answer's Retry-After, in seconds.
  mutating func next(after header: String?) -> Bool {
    guard tries < attempts, HTTPTransfer.clock() < end else { return false }
    asked = header.flatMap { Double($0) } ?? 0
    tries += 1
    return true
  }

  /// Waits before the next try: longer each time, by chance within the upper half, so that many
  /// clients do not come back at once.
  func wait(_ cancellation: Cancellation) throws {
    let longest = min(firstDelay * Double(1 << min(max(tries - 2, 0), 10)), 20)
    let seconds = max(Double.random(in: longest / 2...longest), min(asked, 60))
    let until = min(HTTPTransfer.clock() + seconds, end)
    while HTTPTransfer.clock() < until {
      try ObjectStoreError.check(cancellation)
      usleep(useconds_t(min(max(until - HTTPTransfer.clock(), 0), 0.05) * 1e6) + 1)
    }
  }
}
