import ByteStream
import CCurl
import Synchronization

/// One libcurl handle, which keeps its connections alive between requests. One thread at a time.
final class HTTPConnection: @unchecked Sendable {
  // Unchecked: whoever took it from the pool is its only user.
  private let handle: OpaquePointer

  init() throws {
    if let problem = pgkeep_curl_start() {
      throw HTTPFailure(
        kind: .protocolError,
        description: "libcurl cannot be started (is it installed?): \(String(cString: problem))")
    }
    guard let handle = pgkeep_curl_easy_init() else {
      throw HTTPFailure(kind: .protocolError, description: "libcurl cannot make a handle")
    }
    self.handle = OpaquePointer(handle)
  }

  deinit { pgkeep_curl_easy_cleanup(curl) }

  private var curl: UnsafeMutableRawPointer { UnsafeMutableRawPointer(handle) }

  /// Sends a request and takes its answer.
  ///
  /// - Throws: ``HTTPFailure``, what a closure throws, or ``ObjectStoreError`` when cancelled.
  func perform(_ transfer: HTTPTransfer, caFile: String?) throws {
    pgkeep_curl_easy_reset(curl)
    let request = transfer.request
    set(CURLOPT_URL, request.url)
    set(CURLOPT_PATH_AS_IS, 1)
    set(CURLOPT_PROTOCOLS_STR, "http,https")
    set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
    set(CURLOPT_NOSIGNAL, 1)
    set(CURLOPT_CONNECTTIMEOUT_MS, 15000)
    set(CURLOPT_TIMEOUT_MS, max(1, Int(request.timeout * 1000)))
    set(CURLOPT_TCP_KEEPALIVE, 1)
    set(CURLOPT_BUFFERSIZE, 1 << 18)
    set(CURLOPT_UPLOAD_BUFFERSIZE, 1 << 19)
    set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
    if let caFile { set(CURLOPT_CAINFO, caFile) }
    if request.isDirect { set(CURLOPT_NOPROXY, "*") }
    setMethod(request)
    let headers = list(request.headers)
    defer { pgkeep_curl_slist_free_all(headers) }
    _ = pgkeep_curl_set_pointer(curl, CURLOPT_HTTPHEADER, headers)
    var message = [CChar](repeating: 0, count: Int(CURL_ERROR_SIZE))
    let status = message.withUnsafeMutableBufferPointer { buffer -> CURLcode in
      _ = pgkeep_curl_set_pointer(curl, CURLOPT_ERRORBUFFER, buffer.baseAddress)
      setCallbacks(transfer)
      return withExtendedLifetime(transfer) { pgkeep_curl_easy_perform(curl) }
    }
    if let failure = transfer.failure { throw failure }
    try ObjectStoreError.check(transfer.cancellation)
    guard status == CURLE_OK else {
      let text = message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
      throw failure(status, String(decoding: text, as: UTF8.self), transfer)
    }
    try transfer.finishHead()
  }

  // MARK: Options

  private func set(_ option: CURLoption, _ value: Int) {
    _ = pgkeep_curl_set_long(curl, option, value)
  }

  private func set(_ option: CURLoption, _ value: String) {
    _ = pgkeep_curl_set_string(curl, option, value)
  }

  private func setMethod(_ request: HTTPRequest) {
    if request.method == "HEAD" {
      set(CURLOPT_NOBODY, 1)
    } else if let body = request.body {
      set(CURLOPT_UPLOAD, 1)
      _ = pgkeep_curl_set_offset(curl, CURLOPT_INFILESIZE_LARGE, curl_off_t(body.count))
      set(CURLOPT_CUSTOMREQUEST, request.method)
    } else {
      set(CURLOPT_CUSTOMREQUEST, request.method)
    }
  }

  private func list(_ headers: [(String, String)]) -> UnsafeMutablePointer<curl_slist>? {
    // No wait for "100 Continue", and no chunks.
    var all = ["Expect:", "Transfer-Encoding:", "Accept:"]
    all += headers.map { $0.1.isEmpty ? "\($0.0);" : "\($0.0): \($0.1)" }
    return all.reduce(nil) { pgkeep_curl_slist_append($0, $1) }
  }

  private func setCallbacks(_ transfer: HTTPTransfer) {
    let context = Unmanaged.passUnretained(transfer).toOpaque()
    for option in [CURLOPT_HEADERDATA, CURLOPT_WRITEDATA, CURLOPT_READDATA, CURLOPT_XFERINFODATA] {
      _ = pgkeep_curl_set_pointer(curl, option, context)
    }
    _ = pgkeep_curl_set_pointer(curl, CURLOPT_SEEKDATA, context)
    _ = pgkeep_curl_set_writer(curl, CURLOPT_HEADERFUNCTION) { bytes, size, count, context in
      HTTPTransfer.of(context)?.takeHeader(
        UnsafeRawBufferPointer(start: bytes, count: size * count))
      return size * count
    }
    _ = pgkeep_curl_set_writer(curl, CURLOPT_WRITEFUNCTION) { bytes, size, count, context in
      let piece = UnsafeRawBufferPointer(start: bytes, count: size * count)
      return HTTPTransfer.of(context)?.take(piece) == true ? piece.count : 0
    }
    _ = pgkeep_curl_set_writer(curl, CURLOPT_READFUNCTION) { bytes, size, count, context in
      HTTPTransfer.of(context)?.send(
        into: UnsafeMutableRawBufferPointer(start: bytes, count: size * count)) ?? 0
    }
    _ = pgkeep_curl_set_seeker(curl) { context, offset, origin in
      guard origin == SEEK_SET else { return CURL_SEEKFUNC_CANTSEEK }
      HTTPTransfer.of(context)?.seek(to: Int(offset))
      return CURL_SEEKFUNC_OK
    }
    _ = pgkeep_curl_set_progress(curl) { context, _, down, _, up in
      HTTPTransfer.of(context)?.mayContinue(bytes: Int64(down) + Int64(up)) == true ? 0 : 1
    }
    set(CURLOPT_NOPROGRESS, 0)
  }

  private func failure(_ status: CURLcode, _ message: String, _ transfer: HTTPTransfer)
    -> HTTPFailure
  {
    let words = message.isEmpty ? String(cString: pgkeep_curl_easy_strerror(status)) : message
    if transfer.isStalled {
      return HTTPFailure(
        kind: .timeout,
        description: "no byte moved for \(Int(transfer.request.stallTimeout)) seconds")
    }
    let kind: HTTPFailure.Kind =
      switch status {
      case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY, CURLE_COULDNT_CONNECT,
        CURLE_SSL_CONNECT_ERROR, CURLE_INTERFACE_FAILED:
        .connection
      case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE, CURLE_SSL_ISSUER_ERROR:
        .certificate
      case CURLE_OPERATION_TIMEDOUT: .timeout
      case CURLE_SEND_ERROR, CURLE_RECV_ERROR, CURLE_GOT_NOTHING, CURLE_PARTIAL_FILE,
        CURLE_ABORTED_BY_CALLBACK, CURLE_WEIRD_SERVER_REPLY, CURLE_HTTP2:
        .reset
      default: .protocolError
      }
    return HTTPFailure(kind: kind, description: words)
  }
}

extension HTTPTransfer {
  /// The transfer that a callback is for.
  fileprivate static func of(_ context: UnsafeMutableRawPointer?) -> HTTPTransfer? {
    context.map { Unmanaged<HTTPTransfer>.fromOpaque($0).takeUnretainedValue() }
  }
}

/// Connections that are not in use, kept alive for the next request.
final class HTTPPool: Sendable {
  private let idle = Mutex<[HTTPConnection]>([])
  private let caFile: String?

  init(caFile: String?) { self.caFile = caFile }

  /// Sends a request on a connection of its own.
  ///
  /// - Parameters:
  ///   - onHead: called with the answer's head; true when the body is wanted piece by piece.
  ///   - onBody: called with each piece then.
  /// - Returns: the head, and the body unless it was wanted piece by piece.
  func send(
    _ request: HTTPRequest, cancellation: Cancellation,
    onHead: @escaping (HTTPHead) throws -> Bool = { _ in false },
    onBody: @escaping (UnsafeRawBufferPointer) throws -> Void = { _ in }
  ) throws -> (head: HTTPHead, body: [UInt8]) {
    try ObjectStoreError.check(cancellation)
    let connection = try idle.withLock { $0.popLast() } ?? HTTPConnection()
    let transfer = HTTPTransfer(
      request, cancellation: cancellation, onHead: onHead, onBody: onBody)
    try connection.perform(transfer, caFile: caFile)
    // A handle whose transfer failed is not kept: its connection's state is unknown.
    idle.withLock { if $0.count < 16 { $0.append(connection) } }
    return (transfer.head, transfer.collected)
  }
}
