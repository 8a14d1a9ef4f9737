public import ByteStream

/// How to write a small object.
public struct PutOptions: Sendable {
  /// Fail with ``ObjectStoreError/Code/alreadyExists`` when the object is there. Where an S3
  /// provider ignores the condition, an object that was there before is still found, but two
  /// writers in the same instant are not told apart.
  public var onlyIfAbsent: Bool
  public var contentType: String

  public init(onlyIfAbsent: Bool = false, contentType: String = "application/octet-stream") {
    self.onlyIfAbsent = onlyIfAbsent
    self.contentType = contentType
  }
}

/// How to write an object as a stream.
public struct WriteOptions: Sendable {
  /// Bytes, as far as they can be guessed: parts are chosen so that this much fits. More may be
  /// written; parts then grow.
  public var expectedSize: Int?
  /// Bytes of a part, where the caller knows better than the store's configuration.
  public var partSize: Int?
  /// Parts that are under way at once, where the caller knows better.
  public var uploads: Int?
  public var contentType: String
  /// Stops the writing. What was written is then thrown away.
  public var cancellation: Cancellation

  public init(
    expectedSize: Int? = nil, partSize: Int? = nil, uploads: Int? = nil,
    contentType: String = "application/octet-stream",
    cancellation: Cancellation = Cancellation()
  ) {
    self.expectedSize = expectedSize
    self.partSize = partSize
    self.uploads = uploads
    self.contentType = contentType
    self.cancellation = cancellation
  }
}
