public import ByteStream
import Crypto
import Synchronization

/// A bucket of any provider that speaks the S3 protocol.
///
/// Requests are signed with SigV4 and carry their body's SHA-256 (and MD5 unless that is switched
/// off), so what is damaged on the way is refused and sent again. Server errors, throttling, broken
/// connections and time-outs are retried with growing waits until ``S3Settings/deadline``.
public struct S3Store: ObjectStore {
  let client: S3Client
  let cancellation: Cancellation
  private let reading = Reading()

  /// Whether some thread reads by several requests at once.
  private final class Reading: Sendable {
    private let isTaken = Mutex(false)

    /// False when another has it.
    func take() -> Bool {
      isTaken.withLock { isTaken in
        defer { isTaken = true }
        return !isTaken
      }
    }

    func giveBack() { isTaken.withLock { $0 = false } }
  }

  /// - Parameters:
  ///   - cancellation: stops every call of this store; a call's own is heeded besides.
  /// - Throws: ``ObjectStoreError/Code/invalidLocation`` for settings that make no sense.
  public init(
    bucket: String, settings: S3Settings, credentials: any CredentialsSource,
    cancellation: Cancellation = Cancellation()
  ) throws {
    client = S3Client(
      bucket: bucket, endpoint: try S3Endpoint(settings, bucket: bucket), settings: settings,
      credentials: credentials, pool: HTTPPool(caFile: settings.caFile))
    self.cancellation = cancellation
  }

  public var description: String { "s3://\(client.bucket)" }

  /// Where requests go, for people: `https://s3.fr-par.scw.cloud`.
  public var endpointDescription: String {
    "\(client.endpoint.scheme)://\(client.endpoint.authority)\(client.endpoint.basePath)"
  }

  /// Parts that an upload may have here.
  public var partCap: Int { client.endpoint.partCap }

  public func put(_ key: String, _ bytes: [UInt8], options: PutOptions) throws {
    try ObjectKey.check(key)
    if options.onlyIfAbsent, try client.info(key, cancellation: cancellation) != nil {
      throw ObjectStoreError(
        .alreadyExists, "\(key) in \(description) exists already", key: key)
    }
    let md5 = client.settings.contentMD5 ? Base64.encode(try Digest.hash(.md5, bytes)) : nil
    let digests = (sha256: Hex.encode(try Digest.hash(.sha256, bytes)), md5: md5)
    do {
      try client.put(
        key, body: ArrayBody(bytes), digests: digests, options: options,
        cancellation: cancellation)
    } catch let error as ObjectStoreError where error.code == .alreadyExists {
      // An earlier try whose answer was lost may have written it: then it is ours.
      guard let found = try? readAll(key, limit: bytes.count), found == bytes else { throw error }
    }
  }

  public func writer(_ key: String, options: WriteOptions) throws -> any ByteSink {
    try ObjectKey.check(key)
    return S3Sink(client, key: key, options: options)
  }

  public func info(_ key: String) throws -> ObjectInfo? {
    try ObjectKey.check(key)
    return try client.info(key, cancellation: cancellation)
  }

  public func read(
    _ key: String, range: Range<Int>?, cancellation: Cancellation,
    _ body: (UnsafeRawBufferPointer) throws -> Void
  ) throws {
    try ObjectKey.check(key)
    try ObjectStoreError.check(cancellation)
    // S3 has no empty ranges.
    if let range, range.isEmpty { return }
    // Either may stop it. Both handlers are taken back: a restore makes very many reads.
    let joined = Cancellation()
    let registrations = [cancellation, self.cancellation].map { source in
      source.onCancel { [weak joined, weak source] in
        joined?.cancel(reason: source?.reason ?? "cancelled")
      }
    }
    defer { for registration in registrations { registration.remove() } }
    let version = ObjectVersion()
    var long = range.flatMap { $0.count > longestPiece ? $0 : nil }
    if long == nil {
      let reader = S3Reader(
        client, key: key, range: range, version: version, longest: longestPiece,
        cancellation: joined)
      do {
        return try withoutActuallyEscaping(body) { try reader.read($0) }
      } catch let object as S3Reader.Long {
        long = 0..<object.size
      }
    }
    guard let long else { return }
    // One at a time has several connections, so that memory stays bounded: a restore whose
    // workers each read a range has several already.
    let isAlone = reading.take()
    defer { if isAlone { reading.giveBack() } }
    if isAlone {
      try ParallelRead(client, key: key, range: long, version: version)
        .read(cancellation: joined, body)
    } else {
      let reader = S3Reader(
        client, key: key, range: long, version: version, cancellation: joined)
      try withoutActuallyEscaping(body) { try reader.read($0) }
    }
  }

  /// Bytes that are read by one request; more are read by several at once.
  private var longestPiece: Int { 4 * client.settings.downloadSize }

  public func list(prefix: String, _ body: (ObjectInfo) throws -> Void) throws {
    try list(prefix: prefix, after: "", body)
  }

  public func list(
    prefix: String, after key: String, _ body: (ObjectInfo) throws -> Void
  ) throws {
    var token: String?
    repeat {
      let page = try page(prefix: prefix, from: key, after: token)
      for object in page.all("Contents") {
        let info = try info(object)
        // A server may sort otherwise, or not know where to start.
        if key.utf8.lexicographicallyPrecedes(info.key.utf8) { try body(info) }
      }
      let next = page.text("IsTruncated") == "true" ? page.text("NextContinuationToken") : nil
      guard next == nil || next != token else { throw unusable("the same page again") }
      token = next
    } while token != nil
  }

  public func delete(_ keys: [String]) throws {
    // One request each: the batched form differs among providers, and prunes are small.
    for key in keys {
      try ObjectKey.check(key)
      guard try mayDelete(key) else { continue }
      _ = try client.send(
        S3Client.Call(
          method: "DELETE", key: key, what: "cannot delete \(key)", accepted: [200, 204, 404],
          cancellation: cancellation))
    }
  }

  /// False when there is nothing to delete; throws ``ObjectStoreError/Code/retained`` when a lock
  /// keeps it.
  ///
  /// A bucket with object lock keeps versions, and a plain DELETE there only hides an object: it
  /// would succeed, and the object would stay and be paid for. So its lock is looked at first.
  private func mayDelete(_ key: String) throws -> Bool {
    let head = try client.send(
      S3Client.Call(
        method: "HEAD", key: key, what: "cannot examine \(key)",
        accepted: [200, 400, 401, 403, 404, 405], cancellation: cancellation)
    ).head
    // Somebody who may delete need not be allowed to read: the DELETE itself will tell.
    guard head.status == 200 else { return head.status != 404 }
    if head.headers["x-amz-object-lock-legal-hold"]?.uppercased() == "ON" {
      throw ObjectStoreError(
        .retained, "cannot delete \(key) in \(description): a legal hold keeps it", key: key)
    }
    let now = head.headers["date"].flatMap { UTCTime(httpDate: $0) } ?? .now()
    guard let until = head.headers["x-amz-object-lock-retain-until-date"].flatMap({ UTCTime($0) }),
      until > now
    else { return true }
    let mode = head.headers["x-amz-object-lock-mode"].map { " (\($0))" } ?? ""
    throw ObjectStoreError(
      .retained,
      "cannot delete \(key) in \(description): an object lock\(mode) keeps it until \(until)",
      key: key)
  }

  public func unfinished(prefix: String) throws -> [UnfinishedWrite] {
    try client.unfinished(prefix: prefix, cancellation: cancellation)
  }

  public func discard(_ write: UnfinishedWrite) throws {
    try ObjectKey.check(write.key)
    try client.abort(key: write.key, id: write.id)
  }

  public func clock() throws -> UTCTime {
    // Any answer has the time, a refusal too.
    let reply = try client.send(
      S3Client.Call(
        method: "HEAD", what: "cannot ask for the time",
        accepted: [200, 301, 307, 400, 401, 403, 404], cancellation: cancellation))
    guard let date = reply.head.headers["date"], let time = UTCTime(httpDate: date) else {
      throw unusable("an answer without a date")
    }
    return time
  }

  private func page(
    prefix: String, from key: String, after token: String?
  ) throws -> XMLElement {
    var query = [("list-type", "2"), ("prefix", prefix)]
    if !key.isEmpty { query.append(("start-after", key)) }
    if let token { query.append(("continuation-token", token)) }
    let reply = try client.send(
      S3Client.Call(
        method: "GET", query: query, what: "cannot list objects", cancellation: cancellation))
    return try client.parse(reply.body, "ListBucketResult")
  }

  private func info(_ object: XMLElement) throws -> ObjectInfo {
    guard let key = object.text("Key"), let size = object.text("Size").flatMap({ Int($0) }),
      let modified = object.text("LastModified").flatMap({ UTCTime($0) })
    else { throw unusable("an object without key, size or time") }
    return ObjectInfo(key: key, size: size, modified: modified, etag: object.text("ETag"))
  }

  private func unusable(_ what: String) -> ObjectStoreError {
    ObjectStoreError(.provider, "\(description) gave \(what)")
  }
}
