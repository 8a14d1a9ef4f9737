import ByteStream
import Crypto
import Synchronization

/// One multipart upload: its requests, and the threads that send its parts.
final class S3Upload: Sendable {
  private struct State {
    var id: String?
    /// By part number.
    var parts: [Int: (etag: String, size: Int)] = [:]
    var threads = 0
    /// When the first try to begin was made, by the store's clock, if that try may have begun an
    /// upload that we know nothing of.
    var straysSince: UTCTime?
  }

  private let client: S3Client
  private let key: String
  private let contentType: String
  private let limit: Int
  private let state = Mutex(State())
  private let channel = BoundedChannel<UploadPart>(capacity: 1)
  private let group: ThreadGroup
  /// Where parts' memory comes from.
  let pool: BlockPool

  /// - Parameters:
  ///   - limit: how many parts are sent at once.
  ///   - blockCapacity: bytes of a block of the pool.
  init(
    _ client: S3Client, key: String, contentType: String, limit: Int, blockCapacity: Int,
    cancellation: Cancellation
  ) {
    self.client = client
    self.key = key
    self.contentType = contentType
    self.limit = max(limit, 1)
    // One more than are being sent: the one that is being filled.
    let pool = BlockPool(limit: self.limit + 1, blockCapacity: blockCapacity)
    self.pool = pool
    group = ThreadGroup(following: cancellation) { [channel] error in
      channel.fail(error)
      pool.fail(error)
    }
  }

  /// Whether the provider has been told of it.
  var isBegun: Bool { state.withLock { $0.id != nil } }

  /// Hands a part over to be sent; waits while as many as are allowed are on their way.
  func send(_ part: UploadPart) throws {
    try begin()
    let mayStart = state.withLock { state -> Bool in
      guard state.threads < limit else { return false }
      state.threads += 1
      return true
    }
    if mayStart { group.start("upload") { [self] in try work() } }
    try channel.send(part)
  }

  private func begin() throws {
    guard !isBegun else { return }
    let started = HTTPTransfer.clock()
    let reply = try client.send(
      S3Client.Call(
        method: "POST", key: key, query: [("uploads", "")],
        headers: [("Content-Type", contentType)] + client.newObjectHeaders(),
        body: ArrayBody([]), what: "cannot begin to write \(key)",
        cancellation: group.cancellation))
    let answer = try client.parse(reply.body, "InitiateMultipartUploadResult", key: key)
    guard let id = answer.text("UploadId"), !id.isEmpty else {
      throw ObjectStoreError(
        .provider, "s3://\(client.bucket) began an upload without a name for it", key: key)
    }
    let now = reply.head.headers["date"].flatMap { UTCTime(httpDate: $0) } ?? .now()
    let seconds = Int64(HTTPTransfer.clock() - started) + 2
    state.withLock { state in
      state.id = id
      if reply.isRepeated { state.straysSince = now.adding(seconds: -seconds) }
    }
  }

  /// A thread's work: sends parts until there are no more.
  private func work() throws {
    while let part = try channel.receive() {
      let etag = try send(part, id: state.withLock { $0.id } ?? "")
      state.withLock { $0.parts[part.number] = (etag, part.count) }
      pool.giveBack(part.block)
    }
  }

  private func send(_ part: UploadPart, id: String) throws -> String {
    let (sha256, md5) = try part.digests(withMD5: client.settings.contentMD5)
    let reply = try client.send(
      S3Client.Call(
        method: "PUT", key: key, query: [("partNumber", "\(part.number)"), ("uploadId", id)],
        headers: md5.map { [("Content-MD5", $0)] } ?? [], body: part, payloadHash: sha256,
        what: "cannot write part \(part.number) of \(key)", cancellation: group.cancellation,
        extraTime: Double(part.count) / 250_000, check: S3Client.checkETag))
    return reply.head.headers["etag"] ?? ""
  }

  /// Waits until all parts have arrived, and makes the object of them.
  func complete(size: Int) throws {
    channel.finish()
    try group.join()
    let (id, parts) = state.withLock { ($0.id ?? "", $0.parts) }
    let sent = parts.values.reduce(0) { $0 + $1.size }
    guard sent == size else {
      throw ObjectStoreError(
        .truncated, "\(sent) of \(size) bytes of \(key) were sent to s3://\(client.bucket)",
        key: key)
    }
    var xml = "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
    for number in parts.keys.sorted() {
      let etag = (parts[number]?.etag ?? "").replacingXML()
      xml += "<Part><PartNumber>\(number)</PartNumber><ETag>\(etag)</ETag></Part>"
    }
    xml += "</CompleteMultipartUpload>"
    try complete(id: id, body: Array(xml.utf8), size: size)
    abortStrays(id)
  }

  private func abortStrays(_ id: String) {
    guard let since = state.withLock({ $0.straysSince }) else { return }
    client.hurried().abortStrays(of: key, except: id, since: since)
  }

  private func complete(id: String, body: [UInt8], size: Int) throws {
    var call = S3Client.Call(
      method: "POST", key: key, query: [("uploadId", id)],
      headers: [("Content-Type", "application/xml")], body: ArrayBody(body),
      payloadHash: Hex.encode(try Digest.hash(.sha256, body)),
      what: "cannot finish writing \(key)", cancellation: group.cancellation)
    // The answer begins with 200 before the provider knows whether it will succeed.
    call.check = { head, body in
      let root = try? XMLElement(parsing: body)
      guard root?.name != "CompleteMultipartUploadResult" else { return }
      var answer = S3Failure.answer(head, body: body)
      if root == nil { answer.code = "InternalError" }
      throw S3Client.Refused(answer: answer)
    }
    do {
      _ = try client.send(call)
    } catch let error as ObjectStoreError where error.answer?.code == "NoSuchUpload" {
      // An earlier try may have done it without our hearing of it.
      guard try client.info(key, cancellation: group.cancellation)?.size == size else {
        throw error
      }
      return
    }
    let info = try client.info(key, cancellation: group.cancellation)
    guard info?.size == size else {
      throw ObjectStoreError(
        .truncated,
        "s3://\(client.bucket) says that \(key) has \(info.map { "\($0.size)" } ?? "no") bytes, "
          + "\(size) were sent", key: key)
    }
  }

  /// Stops the threads, and tells the provider to forget what has arrived.
  func abort() {
    group.fail(ObjectStoreError(.cancelled, "the writing of \(key) was given up", key: key))
    try? group.join()
    guard let id = state.withLock({ $0.id }) else { return }
    // A failure here leaves an unfinished write, which a later prune finds.
    try? client.hurried().abort(key: key, id: id)
    abortStrays(id)
  }
}
