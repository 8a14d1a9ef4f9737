public import ByteStream
import CLibPQ
import Glibc

/// One session with a PostgreSQL server.
///
/// Calls block the calling thread and belong on a `JobThread`; a connection is used by one thread
/// at a time. Every wait ends when the run's `Cancellation` is cancelled: the server is then told
/// to cancel the statement, and the call throws ``PostgresError/Code/cancelled``. The session is
/// closed when the last reference goes.
public final class Connection {
  /// Where this is connected to: for a target with several hosts, the one that answered, so that
  /// further connections of the same run reach the same server.
  public let target: ConnectionTarget
  /// `server_version_num`: 150004, 180000.
  public let serverVersion: Int
  /// The server process of this session.
  public let processID: Int
  /// The encoding of the text that moves over this connection, as PostgreSQL names it.
  public var clientEncoding: String {
    String(cString: pg_encoding_to_char(PQclientEncoding(handle)))
  }
  /// The server's major version: 15, 18.
  public var majorVersion: Int { serverVersion / 10_000 }
  /// Called with each notice or warning, on the thread that waits.
  public var onNotice: ((ServerMessage) -> Void)?

  let handle: OpaquePointer
  let cancellation: Cancellation
  private(set) var isClosed = false

  /// Connects, logs in and applies the session profile.
  ///
  /// - Throws: ``PostgresError`` with a code that says whether the server was out of reach, the
  ///   role refused, or the database missing.
  public init(
    _ target: ConnectionTarget, _ options: ConnectionOptions, cancellation: Cancellation
  ) throws {
    self.cancellation = cancellation
    let opening = try ConnectionOpening(target, options, cancellation: cancellation)
    handle = opening.handle
    serverVersion = Int(PQserverVersion(handle))
    processID = Int(PQbackendPID(handle))
    self.target = opening.reachedTarget
    PQsetnonblocking(handle, 1)
    PQsetNoticeReceiver(handle, receiveNotice, Unmanaged.passUnretained(self).toOpaque())
    if let profile = options.profile.sql { try run(profile) }
  }

  deinit { close() }

  /// Ends the session. Harmless when called twice.
  public func close() {
    guard !isClosed else { return }
    isClosed = true
    PQfinish(handle)
  }

  /// Whether a transaction is open on the server, failed or not.
  public var isInTransaction: Bool {
    let status = PQtransactionStatus(handle)
    return status == PQTRANS_INTRANS || status == PQTRANS_INERROR || status == PQTRANS_ACTIVE
  }

  /// Whether the open transaction has failed and can only be rolled back.
  public var hasFailedTransaction: Bool { PQtransactionStatus(handle) == PQTRANS_INERROR }

  /// Whether the session can still be used.
  public var isUsable: Bool { !isClosed && PQstatus(handle) == CONNECTION_OK }

  /// A value that the server reports on its own, such as `server_encoding`.
  public func reportedParameter(_ name: String) -> String? {
    guard let value = PQparameterStatus(handle, name) else { return nil }
    return String(cString: value)
  }

  /// Whether the session is encrypted by TLS.
  public var usesTLS: Bool { PQsslInUse(handle) == 1 }

  fileprivate func deliver(_ notice: ServerMessage) { onNotice?(notice) }
}

private func receiveNotice(_ context: UnsafeMutableRawPointer?, _ result: OpaquePointer?) {
  guard let context else { return }
  let connection = Unmanaged<Connection>.fromOpaque(context).takeUnretainedValue()
  connection.deliver(ServerMessage(result))
}
