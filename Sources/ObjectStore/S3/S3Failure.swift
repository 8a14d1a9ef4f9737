/// What an S3 provider's refusal means, in words that help.
enum S3Failure {
  /// What an answer's body says.
  static func answer(_ head: HTTPHead, body: [UInt8]) -> ObjectStoreError.Answer {
    let xml = try? XMLElement(parsing: body)
    let error = xml?.name == "Error" ? xml : xml?["Error"]
    return ObjectStoreError.Answer(
      status: head.status, code: nonEmpty(error?.text("Code")),
      message: nonEmpty(error?.text("Message")),
      requestID: nonEmpty(error?.text("RequestId")) ?? head.headers["x-amz-request-id"])
  }

  /// Whether the same request may well succeed later.
  static func isTransient(_ answer: ObjectStoreError.Answer) -> Bool {
    switch answer.code {
    case "SlowDown", "Throttling", "ThrottlingException", "RequestLimitExceeded", "TooManyRequests",
      "InternalError", "ServiceUnavailable", "RequestTimeout", "OperationAborted",
      "ConditionalRequestConflict", "XMinioServerNotInitialized", "BandwidthLimitExceeded":
      true
    // A body that arrived garbled is sent again.
    case "BadDigest", "IncompleteBody", "XAmzContentSHA256Mismatch": true
    default:
      answer.status >= 500 && answer.status != 501 || [408, 425, 429].contains(answer.status)
    }
  }

  /// Whether other credentials may help.
  static func isExpired(_ answer: ObjectStoreError.Answer) -> Bool {
    [
      "ExpiredToken", "ExpiredTokenException", "InvalidToken", "InvalidTokenId",
      "TokenRefreshRequired",
    ].contains(answer.code)
  }

  /// - Parameters:
  ///   - what: "cannot write x to s3://…".
  ///   - clock: the answer's own time, to tell a wrong clock with.
  static func error(
    _ what: String, _ answer: ObjectStoreError.Answer, head: HTTPHead, key: String?,
    cause: (any Error)? = nil
  ) -> ObjectStoreError {
    let (code, words) = meaning(answer, head)
    return ObjectStoreError(code, "\(what): \(words)", key: key, answer: answer, cause: cause)
  }

  private static func meaning(
    _ answer: ObjectStoreError.Answer, _ head: HTTPHead
  ) -> (ObjectStoreError.Code, String) {
    switch answer.code {
    case "InvalidAccessKeyId":
      return (.credentials, "the provider does not know this access key")
    case "SignatureDoesNotMatch":
      return (
        .credentials,
        "the signature does not match: the secret key is not the access key's, or the region is "
          + "not the bucket's"
      )
    case "ExpiredToken", "ExpiredTokenException", "InvalidToken", "InvalidTokenId",
      "TokenRefreshRequired":
      return (.credentials, "the temporary credentials have expired")
    case "AuthorizationHeaderMalformed", "AuthorizationQueryParametersError":
      return (.credentials, "the region that was signed for is not the bucket's" + region(head))
    case "RequestTimeTooSkewed", "RequestExpired":
      return (.clockSkew, "this host's clock is wrong" + clocks(head))
    case "AccessDenied", "AllAccessDisabled", "AccountProblem", "Forbidden":
      if answer.message?.lowercased().contains("object lock") == true
        || answer.message?.lowercased().contains("worm") == true
      {
        return (.retained, "an object lock keeps it until its day")
      }
      return (.denied, "the credentials do not allow it: see the bucket policy in docs/storage.md")
    case "ObjectLocked", "ObjectUnderRetention", "InvalidRetentionPeriod":
      return (.retained, "an object lock keeps it until its day")
    case "NoSuchBucket": return (.notFound, "there is no such bucket")
    case "NoSuchUpload":
      return (.notFound, "the upload is gone: somebody aborted it, or a lifecycle rule did")
    case "NoSuchKey": return (.notFound, "there is no such object")
    case "PermanentRedirect", "TemporaryRedirect", "IllegalLocationConstraintException":
      return (.invalidLocation, "the bucket is in another region" + region(head))
    case "QuotaExceeded", "XMinioStorageFull", "InsufficientStorage", "EntityTooLarge":
      return (.noSpace, "the bucket's quota or the provider's storage is used up")
    case "InvalidBucketName": return (.invalidLocation, "the bucket's name is not allowed")
    case "InvalidRange": return (.truncated, "the object is shorter than the range that was asked")
    case "PreconditionFailed": return (.alreadyExists, "it exists already")
    case "BadDigest", "XAmzContentSHA256Mismatch", "InvalidDigest":
      return (.damaged, "what arrived is not what was sent")
    case "SlowDown", "Throttling", "ThrottlingException", "RequestLimitExceeded",
      "TooManyRequests", "BandwidthLimitExceeded":
      return (.throttled, "the provider keeps asking to slow down")
    default: return byStatus(answer, head)
    }
  }

  private static func byStatus(
    _ answer: ObjectStoreError.Answer, _ head: HTTPHead
  ) -> (ObjectStoreError.Code, String) {
    switch answer.status {
    case 301, 307, 308: (.invalidLocation, "the bucket is in another region" + region(head))
    case 401: (.credentials, "the provider does not accept these credentials")
    case 403:
      (.denied, "the credentials do not allow it: see the bucket policy in docs/storage.md")
    case 404: (.notFound, "there is no such object or bucket")
    case 409, 412: (.alreadyExists, "it exists already")
    case 416: (.truncated, "the object is shorter than the range that was asked")
    case 429, 503: (.throttled, "the provider keeps asking to slow down")
    case 507: (.noSpace, "the provider's storage is used up")
    default: (.provider, "the provider refused")
    }
  }

  private static func region(_ head: HTTPHead) -> String {
    head.headers["x-amz-bucket-region"].map { ": set BACKUP_S3_REGION to \($0)" }
      ?? ": set BACKUP_S3_REGION and BACKUP_S3_ENDPOINT"
  }

  private static func clocks(_ head: HTTPHead) -> String {
    guard let text = head.headers["date"], let theirs = UTCTime(httpDate: text) else { return "" }
    let seconds = Int(UTCTime.now().seconds(since: theirs))
    return ": it is \(abs(seconds)) seconds \(seconds < 0 ? "behind" : "ahead of") the provider's"
  }

  private static func nonEmpty(_ text: String?) -> String? { text?.isEmpty == false ? text : nil }
}
