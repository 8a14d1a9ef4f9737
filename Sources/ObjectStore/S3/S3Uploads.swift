import ByteStream

/// The requests about uploads that are under way.
extension S3Client {
  /// Multipart uploads of keys that begin so and were neither completed nor aborted.
  func unfinished(prefix: String, cancellation: Cancellation) throws -> [UnfinishedWrite] {
    var found: [UnfinishedWrite] = []
    var markers: [(String, String)] = []
    while true {
      let reply = try send(
        Call(
          method: "GET", query: [("uploads", ""), ("prefix", prefix)] + markers,
          what: "cannot list unfinished uploads", cancellation: cancellation))
      let page = try parse(reply.body, "ListMultipartUploadsResult")
      for upload in page.all("Upload") {
        guard let key = upload.text("Key"), let id = upload.text("UploadId"),
          let started = upload.text("Initiated").flatMap({ UTCTime($0) })
        else { throw gave("an upload without key, name or time") }
        // Some providers do not filter.
        guard key.utf8.starts(with: prefix.utf8) else { continue }
        found.append(UnfinishedWrite(key: key, id: id, started: started))
      }
      guard page.text("IsTruncated") == "true", let key = page.text("NextKeyMarker") else { break }
      let next = [("key-marker", key), ("upload-id-marker", page.text("NextUploadIdMarker") ?? "")]
      guard next.map(\.1) != markers.map(\.1) else { throw gave("the same page again") }
      markers = next
    }
    return found
  }

  /// Aborts other uploads of a key: those that an earlier try of ours began without our hearing
  /// of it. A failure leaves them to a later prune.
  ///
  /// - Parameters:
  ///   - id: the one that stays, or is aborted by somebody else.
  ///   - since: the store's time of the first try.
  func abortStrays(of key: String, except id: String, since: UTCTime) {
    let found = (try? unfinished(prefix: key, cancellation: Cancellation())) ?? []
    for write in found where write.key == key && write.id != id && write.started >= since {
      try? abort(key: key, id: write.id)
    }
  }

  private func gave(_ what: String) -> ObjectStoreError {
    ObjectStoreError(.provider, "s3://\(bucket) gave \(what)")
  }
}
