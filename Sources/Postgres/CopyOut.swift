public import ByteStream
import CLibPQ

/// The rows of a `COPY … TO STDOUT`, as they arrive.
///
/// Read it to its end, or ``cancel()`` it, before the connection is used for anything else.
public final class CopyOut {
  private let connection: Connection
  private var isAtEnd = false

  init(_ connection: Connection) { self.connection = connection }

  /// Appends whole rows to `block` until it holds `limit` bytes or more; in text format each row
  /// ends in a newline. A row that is larger than the block makes it grow.
  ///
  /// - Returns: how many rows were appended; 0 at the end, once the server has confirmed it.
  public func readRows(into block: Block, limit: Int) throws -> Int {
    var rows = 0
    guard !isAtEnd else { return 0 }
    let handle = connection.handle
    while block.count < limit {
      var row: UnsafeMutablePointer<CChar>?
      let length = PQgetCopyData(handle, &row, 1)
      if length > 0 {
        block.append(UnsafeRawBufferPointer(start: row, count: Int(length)))
        PQfreemem(row)
        rows += 1
      } else if length == 0 {
        try waitForRow()
      } else if length == -1 {
        isAtEnd = true
        _ = try connection.results(nil)
        return rows
      } else {
        isAtEnd = true
        throw connection.brokenError()
      }
    }
    return rows
  }

  /// Ends the copy before its end, by cancelling the statement on the server.
  public func cancel() {
    guard !isAtEnd else { return }
    isAtEnd = true
    connection.close()
  }

  private func waitForRow() throws {
    var wait = StatementWait(timeout: nil)
    var isFirstLook = true
    // Each look has to come after new input: PQgetCopyData has just said that there is no row.
    try connection.waitForInput(&wait) {
      defer { isFirstLook = false }
      return !isFirstLook
    }
    if let interruption = wait.interruption {
      cancel()
      throw interruption
    }
  }
}

extension Connection {
  /// Makes libpq's input buffer large, once, before much is to be read with ``copyOut(_:)``.
  ///
  /// libpq enlarges the buffer only for a row that does not fit, and otherwise fetches no more than
  /// 16 kB at a time: a system call or two for every few dozen rows. So one large row is read. Runs
  /// a query: not before `SET TRANSACTION SNAPSHOT`.
  public func widenInputBuffer() throws {
    _ = try query("SELECT pg_catalog.repeat(' ', 250000)")
  }

  /// Starts a `COPY … TO STDOUT`.
  public func copyOut(_ sql: SQLText) throws -> CopyOut {
    try startCopy(sql, PGRES_COPY_OUT)
    return CopyOut(self)
  }

  /// Sends a COPY statement and waits for the server to be ready for its data.
  func startCopy(_ sql: SQLText, _ expected: ExecStatusType) throws {
    try send(sql) { PQsendQueryParams(handle, $0, 0, nil, nil, nil, nil, 0) }
    var wait = StatementWait(timeout: nil)
    let result = try nextResult(&wait)
    if wait.interruption == nil, PQresultStatus(result) == expected {
      PQclear(result)
      return
    }
    let failure = wait.interruption ?? error(result)
    let status = PQresultStatus(result)
    PQclear(result)
    if status == expected {
      close()
    } else {
      _ = try? results(nil)
    }
    throw failure
  }
}
