import ByteStream

/// One reading of an object, which goes on where it was when a connection breaks.
final class S3Reader {
  private let client: S3Client
  private let key: String
  private let cancellation: Cancellation
  /// Where the next byte belongs.
  private var position: Int
  /// Where the reading ends; nil until the provider has said how long the object is.
  private var end: Int?
  private let isRanged: Bool
  private let start: Int
  private let version: ObjectVersion
  private let longest: Int

  /// An object that is longer than was allowed: nothing of it was given.
  struct Long: Error {
    /// Bytes.
    let size: Int
  }

  /// - Parameters:
  ///   - version: of which all readings of this object must be.
  ///   - longest: bytes of an object that is to be read by this one request; a longer one is
  ///     ``Long``. It matters when no range is given.
  init(
    _ client: S3Client, key: String, range: Range<Int>?, version: ObjectVersion,
    longest: Int = .max, cancellation: Cancellation
  ) {
    self.client = client
    self.key = key
    self.version = version
    self.longest = longest
    self.cancellation = cancellation
    position = range?.lowerBound ?? 0
    start = position
    end = range?.upperBound
    isRanged = range != nil
  }

  func read(_ body: @escaping (UnsafeRawBufferPointer) throws -> Void) throws {
    var call = S3Client.Call(
      method: "GET", key: key, what: "cannot read \(key)", accepted: [200, 206],
      cancellation: cancellation)
    // A range is asked for even when all is wanted: its answer says twice how long it is, and an
    // answer that contradicts itself is not believed. An empty object has no ranges.
    if !isRanged { call.accepted.insert(416) }
    call.prepare = { [self] call in call.headers = headers() }
    call.progress = { [self] in position - start }
    call.check = { [self] head, _ in
      if head.status == 416 { return try checkEmpty() }
      // The connection ended neatly, and early.
      if let end, position < end {
        throw HTTPFailure(
          kind: .reset, description: "the answer ended after \(position - start) bytes")
      }
    }
    do {
      _ = try client.send(
        call,
        onHead: { [self] head in
          guard head.status == 200 || head.status == 206 else { return false }
          try take(head)
          return true
        },
        onBody: { [self] bytes in try take(bytes, body) })
    } catch let error as ObjectStoreError where error.answer?.status == 412 {
      throw replaced(error.answer)
    }
  }

  private func replaced(_ answer: ObjectStoreError.Answer? = nil) -> ObjectStoreError {
    ObjectStoreError(
      .damaged, "\(key) in s3://\(client.bucket) was replaced while it was read", key: key,
      answer: answer)
  }

  private func headers() -> [(String, String)] {
    var headers: [(String, String)] = []
    headers.append(("Range", "bytes=\(position)-" + (end.map { "\($0 - 1)" } ?? "")))
    if let etag = version.etag { headers.append(("If-Match", etag)) }
    return headers
  }

  /// An answer that there is no such range, where all was asked for.
  private func checkEmpty() throws {
    if position == 0, try client.info(key, cancellation: cancellation)?.size == 0 { return }
    throw HTTPFailure(kind: .reset, description: "the answer is that \(key) has no bytes")
  }

  private func take(_ head: HTTPHead) throws {
    let wanted = position
    try S3Client.checkETag(head, [])
    if head.status == 206 {
      guard let range = head.headers["content-range"].flatMap(Self.range), range.first == wanted
      else { throw wrong("gave other bytes of \(key) than were asked for") }
      if let end, let total = range.total, total < end {
        throw ObjectStoreError(
          .truncated,
          "\(key) in s3://\(client.bucket) has \(total) bytes, \(end) were expected", key: key)
      }
      if let end, range.last + 1 > end {
        throw wrong("gave more bytes of \(key) than were asked for")
      }
      if let length = head.contentLength, length != range.last + 1 - range.first {
        throw HTTPFailure(kind: .reset, description: "the answer contradicts itself on its length")
      }
      end = end ?? range.total ?? range.last + 1
    } else if wanted > 0 || isRanged {
      // All of it in place of a range: right when the range is all of it.
      guard wanted == 0, let length = head.contentLength else {
        throw wrong("does not give ranges of \(key)")
      }
      guard let end, length >= end else {
        throw ObjectStoreError(
          .truncated,
          "\(key) in s3://\(client.bucket) has \(length) bytes, \(end ?? 0) were expected",
          key: key)
      }
      guard length == end else { throw wrong("does not give ranges of \(key)") }
    } else {
      end = head.contentLength
    }
    guard version.agrees(head.headers["etag"]) else { throw replaced() }
    if !isRanged, position == 0, let end, end > longest { throw Long(size: end) }
  }

  private func take(
    _ bytes: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) throws -> Void
  ) throws {
    if let end, position + bytes.count > end {
      throw wrong("gave more bytes of \(key) than it had said")
    }
    try body(bytes)
    position += bytes.count
  }

  private func wrong(_ what: String) -> ObjectStoreError {
    ObjectStoreError(.provider, "s3://\(client.bucket) \(what)", key: key)
  }

  /// `bytes 0-9/100` or `bytes 0-9/*`.
  private static func range(_ text: String) -> (first: Int, last: Int, total: Int?)? {
    guard text.hasPrefix("bytes ") else { return nil }
    let parts = text.dropFirst(6).split(separator: "/")
    let ends = parts.first?.split(separator: "-").compactMap { Int($0) } ?? []
    guard parts.count == 2, ends.count == 2 else { return nil }
    return (ends[0], ends[1], Int(parts[1]))
  }
}
