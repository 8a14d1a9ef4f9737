import Postgres

/// Reads and adds to the history over one connection.
struct History {
  let connection: Connection
  /// The tenant's schema; "" for the whole database.
  var scope = ""

  private static let columns: SQLText = """
    id, scope, kind, version, name, direction, outcome, attempt, undoes, up_sha256, down_sha256,
    down_text IS NOT NULL, statements, error, role, host, tool_version, duration_ms,
    pg_catalog.to_char(
      pg_catalog.timezone('UTC', recorded_at), 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
    """

  /// All rows of the scope, oldest first, without their texts; none where no history was made.
  func entries() throws -> [HistoryEntry] {
    // Both in one round trip; only where that fails, one after the other tells why.
    let rows: SQLText = """
      SELECT \(Self.columns) FROM pgkeep.migration_history
      WHERE scope OPERATOR(pg_catalog.=) \(SQLText(scope).quotedLiteral) ORDER BY id
      """
    do {
      let results = try connection.queries("\(HistorySchema.formatQuery);\n\(rows)")
      try HistorySchema.check(results.first?.int(0, 0) ?? 0, connection)
      return results.last.map(Self.entries) ?? []
    } catch let error as PostgresError {
      guard error.code == .server, !connection.isInTransaction else { throw error }
    }
    let format = try HistorySchema.format(connection)
    guard format > 0 else { return [] }
    try HistorySchema.check(format, connection)
    return Self.entries(try connection.query(rows))
  }

  private static func entries(_ result: QueryResult) -> [HistoryEntry] {
    (0..<result.rowCount).compactMap { entry(result, $0) }
  }

  /// The up and down text that a row keeps.
  func texts(_ id: Int) throws -> (up: SQLText?, down: SQLText?) {
    let result = try connection.query(
      """
      SELECT up_text, down_text FROM pgkeep.migration_history
      WHERE id OPERATOR(pg_catalog.=) $1
      """, [SQLText("\(id)")])
    guard result.rowCount == 1 else { return (nil, nil) }
    return (result[0, 0], result[0, 1])
  }

  /// Whether there is a row of that number.
  func exists(_ id: Int) throws -> Bool {
    try connection.query(
      "SELECT FROM pgkeep.migration_history WHERE id OPERATOR(pg_catalog.=) $1",
      [SQLText("\(id)")]
    ).rowCount == 1
  }

  /// Adds a row, and returns its number.
  ///
  /// - Parameter id: the number that it is to have, taken from the sequence before.
  func add(as id: Int? = nil, _ row: NewHistoryRow) throws -> Int {
    try connection.query("\(insertion(as: id, row)) RETURNING id").int(0, 0) ?? 0
  }

  /// The statement that adds a row.
  func insertion(as id: Int?, _ row: NewHistoryRow) -> SQLText {
    let number: SQLText =
      id.map { SQLText("\($0)") } ?? "pg_catalog.nextval('pgkeep.migration_history_id_seq')"
    let values = ([SQLText(scope)] + row.values).map { $0?.quotedLiteral ?? "NULL" }
    return """
      INSERT INTO pgkeep.migration_history
        (id, scope, kind, version, name, direction, outcome, attempt, undoes, up_sha256, down_sha256,
         up_text, down_text, statements, error, host, tool_version, duration_ms, details)
      OVERRIDING SYSTEM VALUE
      VALUES (\(number), \(values.joined(separator: ", ")))
      """
  }

  /// Adds a row to the ledger of a migration without a transaction.
  func note(
    _ event: LedgerEvent.Kind, attempt: Int, ordinal: Int, checksum: String, processID: Int? = nil,
    error: String? = nil
  ) throws {
    _ = try connection.query(
      """
      INSERT INTO pgkeep.statement_ledger (attempt, ordinal, event, sha256, backend_pid, error)
      VALUES ($1, $2, $3, $4, $5, $6)
      """,
      [
        SQLText("\(attempt)"), SQLText("\(ordinal)"), SQLText(event.rawValue), SQLText(checksum),
        processID.map { SQLText("\($0)") }, error.map { SQLText($0) },
      ])
  }

  /// The ledger of one attempt, oldest first.
  func ledger(attempt: Int) throws -> [LedgerEvent] {
    let result = try connection.query(
      """
      SELECT ordinal, event, sha256, backend_pid, error FROM pgkeep.statement_ledger
      WHERE attempt OPERATOR(pg_catalog.=) $1 ORDER BY id
      """, [SQLText("\(attempt)")])
    return (0..<result.rowCount).compactMap { row in
      guard let ordinal = result.int(row, 0),
        let kind = LedgerEvent.Kind(rawValue: result.string(row, 1))
      else { return nil }
      return LedgerEvent(
        ordinal: ordinal, kind: kind, checksum: result.string(row, 2),
        processID: result.int(row, 3),
        error: result.isNull(row, 4) ? nil : result.string(row, 4))
    }
  }

  private static func entry(_ result: QueryResult, _ row: Int) -> HistoryEntry? {
    func text(_ column: Int) -> String? {
      result.isNull(row, column) ? nil : result.string(row, column)
    }
    guard let id = result.int(row, 0),
      let kind = HistoryEntry.Kind(rawValue: result.string(row, 2)),
      let direction = Direction(rawValue: result.string(row, 5)),
      let outcome = HistoryEntry.Outcome(rawValue: result.string(row, 6))
    else { return nil }
    return HistoryEntry(
      id: id, scope: result.string(row, 1), kind: kind,
      version: text(3).flatMap { MigrationVersion($0) }, name: result.string(row, 4),
      direction: direction, outcome: outcome, attempt: result.int(row, 7),
      undoes: result.int(row, 8), upChecksum: text(9), downChecksum: text(10),
      hasDown: result.bool(row, 11), statements: result.int(row, 12), error: text(13),
      role: result.string(row, 14), host: result.string(row, 15),
      toolVersion: result.string(row, 16), durationMilliseconds: result.int(row, 17),
      recordedAt: result.string(row, 18))
  }
}
