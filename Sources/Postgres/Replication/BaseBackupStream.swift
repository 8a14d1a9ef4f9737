import CLibPQ

/// A base backup as the server sends it.
public final class BaseBackupStream {
  /// A position on a timeline.
  public struct Position: Hashable, Sendable {
    public var position: LSN
    public var timeline: UInt32
  }

  /// A tablespace, the first for the data directory itself.
  public struct Tablespace: Hashable, Sendable {
    /// Nil for the data directory.
    public var oid: String?
    /// The path on the server; nil for the data directory.
    public var location: String?
    /// The server's estimate in bytes, when progress was asked for.
    public var size: Int64?
  }

  /// Where recovery from this backup has to begin.
  public let start: Position
  public let tablespaces: [Tablespace]
  private let connection: Connection
  private var isAtEnd = false

  init(_ connection: Connection, _ request: BaseBackupRequest) throws {
    self.connection = connection
    let command = request.command
    try connection.send(command) { PQsendQuery(connection.handle, $0) }
    guard let (_, position) = try connection.nextReplicationResult([PGRES_TUPLES_OK]) else {
      throw ReplicationConnection.unexpected("BASE_BACKUP")
    }
    start = try Self.position(position)
    guard let (_, list) = try connection.nextReplicationResult([PGRES_TUPLES_OK]) else {
      throw ReplicationConnection.unexpected("BASE_BACKUP")
    }
    tablespaces = (0..<list.rowCount).map { row in
      Tablespace(
        oid: list.isNull(row, 0) ? nil : list.string(row, 0),
        location: list.isNull(row, 1) ? nil : list.string(row, 1),
        size: list.int(row, 2).map { Int64($0) * 1024 })
    }
    guard try connection.nextReplicationResult([PGRES_COPY_OUT]) != nil else {
      throw ReplicationConnection.unexpected("BASE_BACKUP")
    }
  }

  /// Reads one message.
  ///
  /// - Returns: false at the end of the stream.
  public func read(_ body: (BaseBackupMessage) throws -> Void) throws -> Bool {
    guard !isAtEnd else { return false }
    while true {
      let event = try connection.copyMessage(timeout: .seconds(1)) {
        try body(BaseBackupMessage($0))
      }
      switch event {
      case .message: return true
      case .nothingYet: continue
      case .end:
        isAtEnd = true
        return false
      }
    }
  }

  /// After the end of the stream: what the server says at last.
  ///
  /// - Returns: the position that recovery has to reach for the backup to be consistent.
  /// - Throws: ``PostgresError``, with ``SQLState/dataCorrupted`` when the server found pages with
  ///   wrong checksums.
  public func finish() throws -> Position {
    var end: Position?
    while let (status, result) = try connection.nextReplicationResult([
      PGRES_COMMAND_OK, PGRES_TUPLES_OK,
    ]) {
      if status == PGRES_TUPLES_OK { end = try Self.position(result) }
    }
    guard let end else { throw ReplicationConnection.unexpected("BASE_BACKUP") }
    return end
  }

  private static func position(_ result: QueryResult) throws -> Position {
    guard result.rowCount == 1, result.columnCount >= 2, let position = LSN(result.string(0, 0)),
      let timeline = result.int(0, 1).flatMap({ UInt32(exactly: $0) })
    else { throw ReplicationConnection.unexpected("BASE_BACKUP") }
    return Position(position: position, timeline: timeline)
  }
}
