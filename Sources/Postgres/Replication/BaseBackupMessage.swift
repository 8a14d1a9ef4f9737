/// What a server of version 15 or later sends while it makes a base backup (PostgreSQL
/// documentation, section 55.4, `BASE_BACKUP`).
public enum BaseBackupMessage {
  /// A new archive begins: `base.tar`, or `<oid>.tar` of the tablespace at `tablespace`.
  case archive(name: String, tablespace: String)
  /// The manifest begins.
  case manifest
  /// Bytes of the current archive or of the manifest, valid inside the call that was given them.
  case data(UnsafeRawBufferPointer)
  /// How many bytes of the current tablespace the server has read.
  case progress(bytes: Int64)

  /// - Parameter message: the content of one CopyData message.
  /// - Throws: ``PostgresError/Code/unexpectedAnswer`` when it is not one of the protocol's.
  public init(_ message: UnsafeRawBufferPointer) throws {
    var reader = BigEndianReader(message)
    let kind = reader.byte()
    switch kind {
    case UInt8(ascii: "d"): self = .data(reader.rest())
    case UInt8(ascii: "m") where reader.remaining == 0: self = .manifest
    case UInt8(ascii: "n"):
      guard let name = reader.text(), let tablespace = reader.text(), reader.remaining == 0 else {
        throw Self.malformed(kind, message.count)
      }
      self = .archive(name: name, tablespace: tablespace)
    case UInt8(ascii: "p"):
      guard let bytes = reader.int64(), reader.remaining == 0 else {
        throw Self.malformed(kind, message.count)
      }
      self = .progress(bytes: bytes)
    default: throw Self.malformed(kind, message.count)
    }
  }

  private static func malformed(_ kind: UInt8?, _ count: Int) -> PostgresError {
    PostgresError(
      .unexpectedAnswer,
      "The server sent a base backup message (\(kind.map { "\($0)" } ?? "nothing"), \(count) "
        + "bytes) that the protocol does not know.")
  }
}
