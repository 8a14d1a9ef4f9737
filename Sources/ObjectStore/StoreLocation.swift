/// Where a store is, as `BACKUP_STORE` and `--store` say it.
public enum StoreLocation: Hashable, Sendable, CustomStringConvertible {
  /// `file:///var/backups/postgres`, or the path alone.
  case directory(path: String)
  /// `s3://bucket/prefix`; the prefix has no slash at either end, and may be empty.
  case s3(bucket: String, prefix: String)

  /// Reads a location; throws ``ObjectStoreError/Code/invalidLocation`` with what is expected.
  public init(_ text: String) throws {
    func refuse(_ why: String) -> ObjectStoreError {
      ObjectStoreError(
        .invalidLocation,
        "the store \"\(text)\" \(why); it is written file:///var/backups/postgres or "
          + "s3://bucket/prefix")
    }
    if text.hasPrefix("s3://") {
      let rest = text.dropFirst("s3://".count)
      let slash = rest.firstIndex(of: "/") ?? rest.endIndex
      let bucket = String(rest[..<slash])
      var prefix = rest[slash...]
      while prefix.hasPrefix("/") { prefix.removeFirst() }
      while prefix.hasSuffix("/") { prefix.removeLast() }
      guard Self.isBucket(bucket) else { throw refuse("names no bucket that S3 would allow") }
      if !prefix.isEmpty { try ObjectKey.check(String(prefix)) }
      self = .s3(bucket: bucket, prefix: String(prefix))
    } else if text.hasPrefix("file://") {
      var path = text.dropFirst("file://".count)
      if path.hasPrefix("localhost/") { path = path.dropFirst("localhost".count) }
      guard path.hasPrefix("/") else { throw refuse("names no absolute path") }
      guard let decoded = URIEncoding.decode(path) else { throw refuse("has a stray %") }
      self = .directory(path: decoded)
    } else if text.hasPrefix("/") {
      self = .directory(path: text)
    } else if text.isEmpty {
      throw refuse("is empty")
    } else {
      throw refuse("is of no kind that is known")
    }
  }

  public var description: String {
    switch self {
    case .directory(let path): "file://\(path)"
    case .s3(let bucket, ""): "s3://\(bucket)"
    case .s3(let bucket, let prefix): "s3://\(bucket)/\(prefix)"
    }
  }

  /// Three to 63 letters, digits, dots, hyphens; old buckets also have capitals and underscores.
  private static func isBucket(_ name: String) -> Bool {
    (3...63).contains(name.utf8.count) && !name.hasPrefix(".") && !name.contains("..")
      && name.utf8.allSatisfy {
        switch $0 {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F: true
        default: false
        }
      }
  }
}
