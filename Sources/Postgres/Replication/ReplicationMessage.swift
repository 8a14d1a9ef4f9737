/// What a server sends while it streams WAL (PostgreSQL documentation, section 55.4, "Streaming
/// Replication Protocol").
public enum ReplicationMessage {
  /// WAL that begins at `start`. `end` is how far the server's log reaches, `time` its clock when
  /// it sent this. The bytes are valid inside the call that was given them.
  case data(start: LSN, end: LSN, time: ServerTime, bytes: UnsafeRawBufferPointer)
  /// A sign of life; with `wantsReply` the server wants one back soon.
  case keepalive(end: LSN, time: ServerTime, wantsReply: Bool)

  /// - Parameter message: the content of one CopyData message.
  /// - Throws: ``PostgresError/Code/unexpectedAnswer`` when it is not one of the protocol's.
  public init(_ message: UnsafeRawBufferPointer) throws {
    var reader = BigEndianReader(message)
    switch reader.byte() {
    case UInt8(ascii: "w"):
      guard let start = reader.lsn(), let end = reader.lsn(), let time = reader.time() else {
        throw Self.malformed("w", message.count)
      }
      self = .data(start: start, end: end, time: time, bytes: reader.rest())
    case UInt8(ascii: "k"):
      guard let end = reader.lsn(), let time = reader.time(), let reply = reader.byte() else {
        throw Self.malformed("k", message.count)
      }
      self = .keepalive(end: end, time: time, wantsReply: reply != 0)
    default:
      throw Self.malformed(message.first.map { "\($0)" } ?? "nothing", message.count)
    }
  }

  private static func malformed(_ kind: String, _ count: Int) -> PostgresError {
    PostgresError(
      .unexpectedAnswer,
      "The server sent a replication message (\(kind), \(count) bytes) that the protocol does "
        + "not know.")
  }
}

/// What a receiver tells the server.
public struct StandbyStatus: Hashable, Sendable {
  /// Everything before it has arrived.
  public var written: LSN
  /// Everything before it is durable: the slot lets go of it.
  public var flushed: LSN
  /// Everything before it is replayed; zero for a receiver that replays nothing.
  public var applied: LSN
  public var time: ServerTime
  /// Whether the server should answer at once.
  public var wantsReply: Bool

  public init(
    written: LSN, flushed: LSN, applied: LSN = .zero, time: ServerTime, wantsReply: Bool = false
  ) {
    self.written = written
    self.flushed = flushed
    self.applied = applied
    self.time = time
    self.wantsReply = wantsReply
  }

  /// The message as it goes over the wire.
  public var bytes: [UInt8] {
    var bytes: [UInt8] = [UInt8(ascii: "r")]
    for field in [
      written.rawValue, flushed.rawValue, applied.rawValue, UInt64(bitPattern: time.microseconds),
    ] {
      withUnsafeBytes(of: field.bigEndian) { bytes.append(contentsOf: $0) }
    }
    bytes.append(wantsReply ? 1 : 0)
    return bytes
  }
}
