/// What a store says about an object.
public struct ObjectInfo: Hashable, Sendable {
  public var key: String
  /// Bytes.
  public var size: Int
  /// When it was last written, by the store's own clock.
  public var modified: UTCTime
  /// The store's tag for this version of the bytes. Its form is the store's own affair.
  public var etag: String?

  public init(key: String, size: Int, modified: UTCTime, etag: String? = nil) {
    self.key = key
    self.size = size
    self.modified = modified
    self.etag = etag
  }
}

/// A write that was begun and neither finished nor aborted: a multipart upload, a temporary file.
///
/// Somebody may still be working on it, on this host or another.
public struct UnfinishedWrite: Hashable, Sendable {
  /// The object that it would have become.
  public var key: String
  /// The store's name for it.
  public var id: String
  /// When it was begun (S3) or last written to (a directory), by the store's clock.
  public var started: UTCTime

  public init(key: String, id: String, started: UTCTime) {
    self.key = key
    self.id = id
    self.started = started
  }
}
