import ByteStream
import Crypto

/// The requests that more than one part of the S3 store makes.
extension S3Client {
  /// The same with little time: for cleaning up behind something that has failed.
  func hurried() -> S3Client {
    var settings = settings
    settings.deadline = min(settings.deadline, 20)
    settings.stallTimeout = min(settings.stallTimeout, 10)
    return S3Client(
      bucket: bucket, endpoint: endpoint, settings: settings, credentials: credentials, pool: pool)
  }

  /// What is sent with each new object, whichever way it is written.
  func newObjectHeaders() -> [(String, String)] {
    var headers: [(String, String)] = []
    if let storageClass = settings.storageClass {
      headers.append(("x-amz-storage-class", storageClass))
    }
    if let encryption = settings.serverSideEncryption {
      headers.append(("x-amz-server-side-encryption", encryption))
    }
    if let key = settings.kmsKey {
      headers.append(("x-amz-server-side-encryption-aws-kms-key-id", key))
    }
    if let days = settings.lockDays {
      // Whole seconds: not every provider reads fractions.
      let until = UTCTime(seconds: UTCTime.now().adding(days: days).milliseconds / 1000)
      headers.append(("x-amz-object-lock-mode", settings.lockMode))
      headers.append(("x-amz-object-lock-retain-until-date", until.description))
    }
    return headers
  }

  /// Writes an object in one request.
  func put(
    _ key: String, body: any RequestBody, digests: (sha256: String, md5: String?),
    options: PutOptions, cancellation: Cancellation
  ) throws {
    var headers = [("Content-Type", options.contentType)] + newObjectHeaders()
    if let md5 = digests.md5 { headers.append(("Content-MD5", md5)) }
    if options.onlyIfAbsent { headers.append(("If-None-Match", "*")) }
    let call = Call(
      method: "PUT", key: key, headers: headers, body: body, payloadHash: digests.sha256,
      what: "cannot write \(key)", cancellation: cancellation,
      extraTime: Double(body.count) / 250_000, check: Self.checkETag)
    do {
      _ = try send(call)
    } catch let error as ObjectStoreError
      where options.onlyIfAbsent && error.answer?.status == 501
    {
      // A provider that knows no conditional writes: the look before is all there is.
      var plain = call
      plain.headers.removeAll { $0.0 == "If-None-Match" }
      _ = try send(plain)
    }
  }

  /// What is known of an object; nil when there is none.
  func info(_ key: String, cancellation: Cancellation) throws -> ObjectInfo? {
    var call = Call(
      method: "HEAD", key: key, what: "cannot examine \(key)", accepted: [200, 404],
      cancellation: cancellation)
    call.check = { head, body in if head.status == 200 { try Self.checkETag(head, body) } }
    let head: HTTPHead
    do {
      head = try send(call).head
    } catch let error as ObjectStoreError where [400, 401, 403].contains(error.answer?.status) {
      // The answer to HEAD has no body: ask once more in the form that gives the reason.
      call.method = "GET"
      call.headers = [("Range", "bytes=0-0")]
      call.accepted = [200, 206]
      do {
        _ = try send(call)
      } catch let reason as ObjectStoreError where reason.answer?.code != nil {
        throw reason
      }
      throw error
    }
    guard head.status == 200 else { return nil }
    guard let size = head.contentLength else {
      throw ObjectStoreError(
        .provider, "s3://\(bucket) does not say how long \(key) is", key: key)
    }
    return ObjectInfo(
      key: key, size: size,
      modified: head.headers["last-modified"].flatMap { UTCTime(httpDate: $0) }
        ?? UTCTime(seconds: 0),
      etag: head.headers["etag"])
  }

  /// Forgets an upload; one that is not there is no error.
  func abort(key: String, id: String) throws {
    _ = try send(
      Call(
        method: "DELETE", key: key, query: [("uploadId", id)],
        what: "cannot discard the unfinished upload of \(key)", accepted: [200, 204, 404],
        cancellation: Cancellation()))
  }

  /// An answer's XML, whose root must have that name.
  func parse(_ body: [UInt8], _ root: String, key: String? = nil) throws -> XMLElement {
    let element: XMLElement
    do {
      element = try XMLElement(parsing: body)
    } catch {
      throw ObjectStoreError(
        .provider, "s3://\(bucket) gave an answer that is not the \(root) of the protocol",
        key: key, cause: error)
    }
    guard element.name == root else {
      throw ObjectStoreError(
        .provider, "s3://\(bucket) gave an answer \(element.name) in place of \(root)", key: key)
    }
    return element
  }
}

extension String {
  /// With the characters that XML gives a meaning written as entities.
  func replacingXML() -> String {
    var text = ""
    for character in unicodeScalars {
      switch character {
      case "&": text += "&amp;"
      case "<": text += "&lt;"
      case ">": text += "&gt;"
      case "\"": text += "&quot;"
      default: text.unicodeScalars.append(character)
      }
    }
    return text
  }
}
