import CLibPQ

/// WAL as the server sends it, and our reports back.
public final class WALStream {
  /// What a read gave.
  public enum Event {
    /// A message was handed over.
    case message
    /// Nothing arrived in time.
    case nothingYet
    /// The server sends no more: ``WALStream/finish()`` says which timeline goes on, or throws
    /// what the server ended the stream with.
    case endOfTimeline
  }

  /// The timeline after the one that was streamed, and where it begins.
  public struct NextTimeline: Hashable, Sendable {
    public var timeline: UInt32
    public var start: LSN
  }

  private let connection: Connection
  /// Set when the server had nothing to stream on that timeline and said so at once.
  private var immediateEnd: NextTimeline?
  private var isStreaming = false

  init(_ connection: Connection, _ command: SQLText) throws {
    self.connection = connection
    try connection.send(command) { PQsendQuery(connection.handle, $0) }
    guard
      let (status, result) = try connection.nextReplicationResult([
        PGRES_COPY_BOTH, PGRES_TUPLES_OK,
      ])
    else { throw ReplicationConnection.unexpected("START_REPLICATION") }
    if status == PGRES_COPY_BOTH {
      isStreaming = true
    } else {
      immediateEnd = try Self.next(result)
      _ = try connection.results(.seconds(60))
    }
  }

  /// Reads one message, waiting at most `timeout`.
  ///
  /// - Parameter body: what is given the message.
  public func read(
    timeout: Duration, _ body: (ReplicationMessage) throws -> Void
  ) throws -> Event {
    guard isStreaming else { return .endOfTimeline }
    let event = try connection.copyMessage(timeout: timeout) { try body(ReplicationMessage($0)) }
    switch event {
    case .message: return .message
    case .nothingYet: return .nothingYet
    case .end: return .endOfTimeline
    }
  }

  /// Tells the server where we are. Waits for the network at most as long as its buffers are full.
  public func send(_ status: StandbyStatus) throws {
    guard isStreaming else { return }
    let bytes = status.bytes
    let accepted = bytes.withUnsafeBytes { raw in
      raw.withMemoryRebound(to: CChar.self) {
        PQputCopyData(connection.handle, $0.baseAddress, Int32($0.count))
      }
    }
    guard accepted == 1 else { throw connection.brokenError() }
    // What does not go out at once goes out with the next read.
    guard PQflush(connection.handle) >= 0 else { throw connection.brokenError() }
  }

  /// Ends the streaming after ``Event/endOfTimeline``, and says which timeline goes on where. The
  /// connection can then start another stream.
  ///
  /// - Returns: nil when the server shut down in good order instead.
  public func finish() throws -> NextTimeline? {
    if let immediateEnd { return immediateEnd }
    guard isStreaming else { return nil }
    isStreaming = false
    // libpq now has a COPY IN for us to end.
    if let (status, _) = try connection.nextReplicationResult([
      PGRES_COPY_IN, PGRES_COMMAND_OK,
    ]), status == PGRES_COPY_IN {
      guard PQputCopyEnd(connection.handle, nil) == 1 else { throw connection.brokenError() }
      try connection.flush()
    } else {
      return nil
    }
    var next: NextTimeline?
    while let (status, result) = try connection.nextReplicationResult([
      PGRES_TUPLES_OK, PGRES_COMMAND_OK,
    ]) {
      if status == PGRES_TUPLES_OK { next = try Self.next(result) }
    }
    return next
  }

  private static func next(_ result: QueryResult) throws -> NextTimeline {
    guard result.rowCount == 1, result.columnCount >= 2, let timeline = result.int(0, 0),
      let number = UInt32(exactly: timeline), let start = LSN(result.string(0, 1))
    else { throw ReplicationConnection.unexpected("START_REPLICATION") }
    return NextTimeline(timeline: number, start: start)
  }
}
