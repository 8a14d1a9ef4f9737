public import ByteStream
import CLibPQ

/// A session with a server's WAL sender: physical replication commands by the simple protocol.
///
/// Needs a role with `REPLICATION` and a line for `replication` in `pg_hba.conf`. As with
/// ``Connection``, calls block, belong to one thread, and end when the run is cancelled.
public final class ReplicationConnection {
  /// What `IDENTIFY_SYSTEM` answers.
  public struct System: Hashable, Sendable {
    /// The same on a primary and all of its standbys, and on clusters restored from its backups.
    public var identifier: String
    public var timeline: UInt32
    /// How far the server's log is flushed.
    public var flushed: LSN
  }

  /// What `READ_REPLICATION_SLOT` answers for a slot that has reserved WAL.
  public struct Slot: Hashable, Sendable {
    public var restartPosition: LSN?
    public var restartTimeline: UInt32?
  }

  let connection: Connection

  /// Connects for physical replication.
  public init(
    _ target: ConnectionTarget, applicationName: String,
    connectTimeout: Duration = .seconds(15), cancellation: Cancellation
  ) throws {
    let options = ConnectionOptions(
      applicationName: applicationName, profile: .replication, connectTimeout: connectTimeout)
    connection = try Connection(
      target.with(parameter: "replication", value: "true"), options, cancellation: cancellation)
  }

  public var target: ConnectionTarget {
    connection.target.with(parameter: "replication", value: nil)
  }
  public var serverVersion: Int { connection.serverVersion }
  public var majorVersion: Int { connection.majorVersion }
  public var isUsable: Bool { connection.isUsable }
  public var processID: Int { connection.processID }

  /// Called with each notice or warning of the server.
  public var onNotice: ((ServerMessage) -> Void)? {
    get { connection.onNotice }
    set { connection.onNotice = newValue }
  }

  /// Ends the session. Harmless when called twice.
  public func close() { connection.close() }

  /// Which cluster this is, and where it stands.
  public func identifySystem() throws -> System {
    let result = try row("IDENTIFY_SYSTEM")
    guard let timeline = result.int(0, 1), let number = UInt32(exactly: timeline),
      let flushed = LSN(result.string(0, 2))
    else { throw Self.unexpected("IDENTIFY_SYSTEM") }
    return System(identifier: result.string(0, 0), timeline: number, flushed: flushed)
  }

  /// A setting's value with its unit, as `SHOW` gives it.
  public func show(_ setting: String) throws -> String {
    try row("SHOW \(SQLText(setting).quotedForReplication)").string(0, 0)
  }

  /// Bytes in one WAL segment.
  public func walSegmentSize() throws -> Int {
    let text = try show("wal_segment_size")
    let units = [("GB", 1 << 30), ("MB", 1 << 20), ("kB", 1 << 10), ("B", 1)]
    for (unit, factor) in units where text.hasSuffix(unit) {
      guard let number = Int(text.dropLast(unit.count)), WALSegment.isSize(number * factor) else {
        break
      }
      return number * factor
    }
    throw Self.unexpected("SHOW wal_segment_size")
  }

  /// A physical slot; nil when there is none of that name. Needs version 15.
  public func readSlot(_ name: String) throws -> Slot? {
    let result = try row("READ_REPLICATION_SLOT \(SQLText(name).quotedForReplication)")
    guard !result.isNull(0, 0) else { return nil }
    return Slot(
      restartPosition: LSN(result.string(0, 1)),
      restartTimeline: result.int(0, 2).flatMap { UInt32(exactly: $0) })
  }

  /// Makes a physical slot that reserves WAL from now on.
  ///
  /// - Throws: ``PostgresError`` with ``SQLState/duplicateObject`` when it exists.
  public func createSlot(_ name: String) throws {
    _ = try row(
      "CREATE_REPLICATION_SLOT \(SQLText(name).quotedForReplication) PHYSICAL RESERVE_WAL")
  }

  /// Drops a slot that nobody uses.
  public func dropSlot(_ name: String) throws {
    try connection.run("DROP_REPLICATION_SLOT \(SQLText(name).quotedForReplication)")
  }

  /// The bytes of a timeline's history file. Timeline 1 has none.
  public func timelineHistory(_ timeline: UInt32) throws -> [UInt8] {
    let result = try row("TIMELINE_HISTORY \(timeline)")
    return result[0, 1]?.bytes ?? []
  }

  /// Starts to stream WAL of `timeline` from `position` on.
  ///
  /// - Throws: ``PostgresError``; with SQLSTATE 58P01 when the server has removed that WAL.
  public func startReplication(
    slot: String?, from position: LSN, timeline: UInt32
  ) throws -> WALStream {
    var command: SQLText = "START_REPLICATION "
    if let slot { command += "SLOT \(SQLText(slot).quotedForReplication) " }
    command += "PHYSICAL \(position.description) TIMELINE \(timeline)"
    return try WALStream(connection, command)
  }

  /// Gives the server the manifest of an earlier backup, which the next base backup of this
  /// connection is to be incremental to (17 and later).
  public func uploadManifest(_ manifest: [UInt8]) throws {
    let command: SQLText = "UPLOAD_MANIFEST"
    try connection.send(command) { PQsendQuery(connection.handle, $0) }
    guard try connection.nextReplicationResult([PGRES_COPY_IN]) != nil else {
      throw Self.unexpected(command.string)
    }
    let copy = CopyIn(connection)
    try manifest.withUnsafeBytes { try copy.write($0) }
    _ = try copy.finish()
  }

  /// Starts a base backup.
  public func startBaseBackup(_ request: BaseBackupRequest) throws -> BaseBackupStream {
    try BaseBackupStream(connection, request)
  }

  /// Runs a command and demands a row.
  private func row(_ command: SQLText) throws -> QueryResult {
    try connection.send(command) { PQsendQuery(connection.handle, $0) }
    let results = try connection.results(.seconds(60))
    guard let result = results.first(where: { $0.columnCount > 0 }), result.rowCount == 1 else {
      throw Self.unexpected(command.string)
    }
    return result
  }

  static func unexpected(_ command: String) -> PostgresError {
    PostgresError(.unexpectedAnswer, "The server's answer to \(command) has an unknown form.")
  }
}
