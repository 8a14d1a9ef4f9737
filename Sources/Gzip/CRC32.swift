import CISAL

/// The checksum of gzip trailers (RFC 1952, section 8).
public enum CRC32 {
  /// The checksum of what `checksum` covers followed by `bytes`; 0 is that of nothing.
  public static func update(_ checksum: UInt32, _ bytes: UnsafeRawBufferPointer) -> UInt32 {
    guard let start = bytes.baseAddress else { return checksum }
    return crc32_gzip_refl(
      checksum, start.assumingMemoryBound(to: UInt8.self), UInt64(bytes.count))
  }
}
