import ByteStream

/// An object that is being written to a bucket: in one request when it is small, in parts else.
final class S3Sink: ByteSink {
  private enum Phase {
    case open, finished, aborted
  }

  private let client: S3Client
  private let key: String
  private let options: WriteOptions
  private let plan: PartPlan
  private let upload: S3Upload
  private var part: UploadPart?
  private var parts = 0
  private var size = 0
  private var phase = Phase.open

  init(_ client: S3Client, key: String, options: WriteOptions) {
    self.client = client
    self.key = key
    self.options = options
    plan = PartPlan(
      partSize: options.partSize ?? client.settings.partSize, expectedSize: options.expectedSize,
      cap: client.endpoint.partCap, isEqual: client.endpoint.wantsEqualParts)
    let isInMemory = plan.firstSize <= client.settings.largestPartInMemory
    upload = S3Upload(
      client, key: key, contentType: options.contentType,
      limit: options.uploads ?? client.settings.uploads,
      blockCapacity: isInMemory ? plan.firstSize : 64, cancellation: options.cancellation)
  }

  deinit { abort() }

  func write(_ bytes: UnsafeRawBufferPointer) throws {
    try checkOpen()
    var rest = bytes
    while rest.count > 0 {
      let part = try self.part ?? nextPart()
      let taken = try part.append(rest)
      size += taken
      rest = UnsafeRawBufferPointer(rebasing: rest[taken...])
      if part.count == part.capacity { try dispatch(part) }
    }
  }

  func finish() throws {
    try checkOpen()
    if upload.isBegun {
      if let part { try dispatch(part) }
      try translated { try upload.complete(size: size) }
    } else {
      let part = try self.part ?? nextPart()
      try client.put(
        key, body: part, digests: part.digests(withMD5: client.settings.contentMD5),
        options: PutOptions(contentType: options.contentType),
        cancellation: options.cancellation)
    }
    part = nil
    phase = .finished
  }

  func abort() {
    guard phase == .open else { return }
    phase = .aborted
    part = nil
    upload.abort()
  }

  private func checkOpen() throws {
    guard phase == .open else {
      throw ObjectStoreError(
        .provider, "s3://\(client.bucket)/\(key) was already finished or aborted", key: key)
    }
    try ObjectStoreError.check(options.cancellation)
  }

  private func nextPart() throws -> UploadPart {
    let capacity = plan.size(ofPart: parts)
    guard parts < plan.cap else {
      throw ObjectStoreError(
        .noSpace,
        "\(key) does not fit into the \(plan.cap) parts that the provider allows; set "
          + "BACKUP_S3_PART_SIZE higher than \(plan.firstSize) bytes", key: key)
    }
    let block = try translated { try upload.pool.take() }
    parts += 1
    let isInMemory = capacity <= max(client.settings.largestPartInMemory, 1)
    let part = try UploadPart(
      number: parts, capacity: capacity, block: block,
      spoolDirectory: isInMemory ? nil : client.settings.spoolDirectory)
    self.part = part
    return part
  }

  private func dispatch(_ part: UploadPart) throws {
    self.part = nil
    try translated { try upload.send(part) }
  }

  /// Every error of a store is an ``ObjectStoreError``, that of a cancelled thread group too.
  private func translated<Result>(_ body: () throws -> Result) throws -> Result {
    do {
      return try body()
    } catch let error as Cancellation.Cancelled {
      try ObjectStoreError.check(options.cancellation)
      throw ObjectStoreError(.cancelled, error.reason, key: key, cause: error)
    }
  }
}
