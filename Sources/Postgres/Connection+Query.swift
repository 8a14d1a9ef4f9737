import ByteStream
import CLibPQ

extension Connection {
  /// Runs one or several statements by the simple protocol and throws their rows away.
  ///
  /// Several statements in one text are one implicit transaction, unless they hold `BEGIN`.
  ///
  /// - Parameter timeout: the longest wait for the whole; nil for none of our own.
  /// - Throws: ``PostgresError``; ``PostgresError/Code/server`` for an SQL error.
  public func run(_ sql: SQLText, timeout: Duration? = nil) throws {
    try send(sql) { PQsendQuery(handle, $0) }
    _ = try results(timeout)
  }

  /// Runs several statements by the simple protocol, in one round trip, and returns what each of
  /// them gave. They are one implicit transaction, as with ``run(_:timeout:)``.
  public func queries(_ sql: SQLText, timeout: Duration? = nil) throws -> [QueryResult] {
    try send(sql) { PQsendQuery(handle, $0) }
    return try results(timeout)
  }

  /// Runs one statement of a transaction together with what belongs around it, in one round trip.
  /// When it fails, the transaction is open, failed, and waits for its `ROLLBACK`.
  ///
  /// - Parameters:
  ///   - begins: whether the statement is the first, and the transaction begins with it.
  ///   - query: run behind the statement.
  /// - Returns: what `query` gave.
  /// - Throws: ``PostgresError``, with positions counted in `statement`.
  public func run(
    _ statement: SQLText, begins: Bool, thenQuery query: SQLText?
  ) throws -> QueryResult? {
    let beginning = begins ? Self.beginning : ""
    // The statement may end in a comment.
    let rest = query.map { "\n;\n\($0)" as SQLText } ?? ""
    do {
      let results = try queries(beginning + statement + rest)
      return query == nil ? nil : results.last
    } catch var error as PostgresError {
      if let position = error.server?.position {
        error.server?.position = position - beginning.bytes.count
      }
      throw error
    }
  }

  /// What a statement that begins a transaction is sent with, and the server shows as its text.
  public static let beginning: SQLText = "BEGIN;\n"

  /// Runs one statement by the extended protocol and returns its rows.
  ///
  /// - Parameters:
  ///   - parameters: values for `$1`, `$2`, … in text form; nil is NULL.
  ///   - timeout: the longest wait; nil for none of our own.
  public func query(
    _ sql: SQLText, _ parameters: [SQLText?] = [], timeout: Duration? = nil
  ) throws -> QueryResult {
    let values = CStrings(parameters)
    try send(sql) {
      PQsendQueryParams(handle, $0, Int32(parameters.count), nil, values.pointers, nil, nil, 0)
    }
    guard let last = try results(timeout).last else {
      throw PostgresError(.unexpectedAnswer, "The statement was empty.")
    }
    return last
  }

  /// Runs one statement and hands over its rows one at a time, so that a result of any size
  /// takes the memory of one row.
  public func forEachRow(
    _ sql: SQLText, timeout: Duration? = nil, _ body: (QueryResult) throws -> Void
  ) throws {
    try send(sql) { PQsendQueryParams(handle, $0, 0, nil, nil, nil, nil, 0) }
    PQsetSingleRowMode(handle)
    var failure: (any Error)?
    let outcome = Result {
      try forEachResult(timeout) { result in
        guard failure == nil, result.rowCount > 0 else { return }
        do { try body(result) } catch {
          failure = error
          // The rest of the rows is of no use to anybody.
          cancelStatement()
        }
      }
    }
    if let failure { throw failure }
    try outcome.get()
  }

  /// Runs `body` in a transaction: commits when it returns, rolls back when it throws.
  public func transaction<Result>(
    _ begin: SQLText = "BEGIN", _ body: () throws -> Result
  ) throws -> Result {
    try run(begin)
    let result: Result
    do { result = try body() } catch {
      if isUsable, isInTransaction { try? run("ROLLBACK") }
      throw error
    }
    try run("COMMIT")
    return result
  }

  /// Hands a statement to libpq and sends it.
  func send(_ sql: SQLText, _ call: (UnsafePointer<CChar>) -> Int32) throws {
    if let reason = cancellation.reason {
      throw PostgresError(.cancelled, "Stopped: \(reason).")
    }
    guard !isClosed else {
      throw PostgresError(.connectionLost, "The connection to \(target) is closed.")
    }
    var text = sql.bytes
    guard !text.contains(0) else {
      throw PostgresError(.unexpectedAnswer, "A statement must not hold a zero byte.")
    }
    text.append(0)
    let accepted = text.withUnsafeBytes { bytes in
      bytes.withMemoryRebound(to: CChar.self) { $0.baseAddress.map(call) ?? 0 }
    }
    guard accepted == 1 else { throw brokenError() }
    try flush()
  }

  /// Reads all results of what was sent, and throws the first error among them.
  func results(_ timeout: Duration?) throws -> [QueryResult] {
    var results: [QueryResult] = []
    try forEachResult(timeout) { results.append($0) }
    return results
  }

  /// Reads all results of what was sent, one at a time, and throws the first error among them.
  private func forEachResult(_ timeout: Duration?, _ body: (QueryResult) -> Void) throws {
    var wait = StatementWait(timeout: timeout)
    var failure: PostgresError?
    while let result = try nextResult(&wait) {
      switch PQresultStatus(result) {
      case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_SINGLE_TUPLE, PGRES_EMPTY_QUERY:
        body(QueryResult(result))
      case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH:
        // A COPY where none was expected: end the session rather than guess at its state.
        PQclear(result)
        close()
        throw PostgresError(.unexpectedAnswer, "A COPY statement has no place here.")
      default:
        failure = failure ?? error(result)
        PQclear(result)
      }
    }
    if let interruption = wait.interruption { throw interruption }
    if let failure { throw failure }
  }

  /// The next result, nil at the end. An interruption is noted in `wait` and the reading goes
  /// on, so that the session stays usable.
  func nextResult(_ wait: inout StatementWait) throws -> OpaquePointer? {
    try waitForInput(&wait) { PQisBusy(handle) == 0 }
    return PQgetResult(handle)
  }

  /// The error that a result carries.
  func error(_ result: OpaquePointer?) -> PostgresError {
    guard PQstatus(handle) == CONNECTION_OK else {
      guard PQresultErrorField(result, 67) != nil else { return brokenError() }
      return PostgresError(
        .connectionLost, "The server ended the connection to \(target).",
        server: ServerMessage(result))
    }
    return PostgresError(.server, "", server: ServerMessage(result))
  }
}
