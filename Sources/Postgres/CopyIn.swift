import CLibPQ

/// The data of a `COPY … FROM STDIN`, on its way to the server.
///
/// Nothing is in the table until ``finish()`` has returned.
public final class CopyIn {
  private let connection: Connection
  private var isEnded = false

  init(_ connection: Connection) { self.connection = connection }

  /// Sends bytes; they need not be whole rows.
  public func write(_ bytes: UnsafeRawBufferPointer) throws {
    // Pieces bound what libpq holds in memory: it copies what it is given.
    var start = 0
    while start < bytes.count {
      let piece = UnsafeRawBufferPointer(rebasing: bytes[start..<min(start + 65_536, bytes.count)])
      let status = piece.withMemoryRebound(to: CChar.self) {
        PQputCopyData(connection.handle, $0.baseAddress, Int32($0.count))
      }
      guard status == 1 else {
        isEnded = true
        throw connection.brokenError()
      }
      try connection.flush()
      start += piece.count
    }
  }

  /// Says that the data is complete, and waits for the server to have taken it.
  ///
  /// - Returns: how many rows the server counted.
  public func finish() throws -> Int {
    isEnded = true
    guard PQputCopyEnd(connection.handle, nil) == 1 else { throw connection.brokenError() }
    try connection.flush()
    return try connection.results(nil).last?.affectedRows ?? 0
  }

  /// Makes the server forget what was sent. The statement fails, and with it its transaction.
  public func abort(_ reason: String) {
    guard !isEnded else { return }
    isEnded = true
    guard PQputCopyEnd(connection.handle, reason) == 1 else { return connection.close() }
    do { try connection.flush() } catch { return connection.close() }
    _ = try? connection.results(nil)
  }
}

extension Connection {
  /// Starts a `COPY … FROM STDIN`.
  public func copyIn(_ sql: SQLText) throws -> CopyIn {
    try startCopy(sql, PGRES_COPY_IN)
    return CopyIn(self)
  }
}
