import Postgres

/// Puts back what an up had dropped, while its down runs: as soon as a statement has made the table
/// or the columns again, so that what comes after (SET NOT NULL, a foreign key) finds the rows.
final class KeptData {
  private struct Item {
    let id: String
    let store: SQLText
    let schema: SQLText
    let name: SQLText
    let keys: [SQLText]
    let columns: [SQLText]
    let isTable: Bool

    var qualifiedName: SQLText { .qualified(schema, name) }
  }

  private let work: Connection
  private let step: PlannedStep
  private let row: Int
  private let emit: @Sendable (MigrationEvent) -> Void
  private var open: [Item]

  /// nil where nothing was kept for the up that the step undoes.
  ///
  /// - Parameter row: the history's row that the down is going to have.
  init?(_ session: MigrationSession, _ step: PlannedStep, row: Int) throws {
    guard step.direction == .down, let undoes = step.undoes else { return nil }
    work = session.work
    emit = session.emit
    self.step = step
    self.row = row
    open = try Self.items(session.lock.connection, undoes)
    if open.isEmpty { return nil }
  }

  /// A row for each column, in their order.
  private static func items(_ connection: Connection, _ undoes: Int) throws -> [Item] {
    let result = try connection.query(
      """
      SELECT d.id, d.store, d.schema, d.name, d.is_table, x.name, x.is_key
      FROM pgkeep.dropped_data d
      CROSS JOIN LATERAL (
        SELECT k.name, true AS is_key, k.place
          FROM pg_catalog.unnest(d.keys) WITH ORDINALITY k (name, place)
        UNION ALL
        SELECT c.name, false, c.place + 1000000
          FROM pg_catalog.unnest(d.columns) WITH ORDINALITY c (name, place)) x
      WHERE d.put_back_at IS NULL AND pg_catalog.to_regclass(d.store) IS NOT NULL
        AND d.history_id IN ($1, (
          SELECT h.attempt FROM pgkeep.migration_history h WHERE h.id = $1))
      ORDER BY d.id DESC, x.place
      """, [SQLText("\(undoes)")])
    var items: [Item] = []
    for row in 0..<result.rowCount {
      guard let store = result[row, 1], let schema = result[row, 2], let name = result[row, 3],
        let column = result[row, 5]
      else { continue }
      let id = result.string(row, 0)
      let last = items.last?.id == id ? items.removeLast() : nil
      let isKey = result.bool(row, 6)
      items.append(
        Item(
          id: id, store: store, schema: schema, name: name,
          keys: (last?.keys ?? []) + (isKey ? [column] : []),
          columns: (last?.columns ?? []) + (isKey ? [] : [column]), isTable: result.bool(row, 4)))
    }
    return items
  }

  /// Puts back what there is a place for by now, in the transaction that is open.
  func afterStatement() throws { try putBack(isEnd: false) }

  /// A partitioned table has all of its partitions only at the end.
  private func putBack(isEnd: Bool) throws {
    for item in open {
      let types = try columnTypes(item)
      guard !types.isEmpty, try isEnd || !isPartitioned(item) else { continue }
      let present = item.columns.filter { types[$0] != nil }
      // A table that comes with fewer columns gets those; a column waits for all of them.
      guard item.isTable || present.count == item.columns.count else { continue }
      let count = item.isTable ? try insert(item, present, types) : try update(item, types)
      open.removeAll { $0.id == item.id }
      try work.run("DROP TABLE \(item.store)")
      _ = try work.query(
        """
        UPDATE pgkeep.dropped_data
        SET put_back_at = pg_catalog.clock_timestamp(), put_back_by = $2
        WHERE id OPERATOR(pg_catalog.=) $1
        """, [SQLText(item.id), SQLText("\(row)")])
      let missing = item.columns.filter { types[$0] == nil }
      emit(
        .warning(
          "\(step.title): \(count) rows of \(item.schema).\(item.name) are back"
            + (missing.isEmpty
              ? "" : ", without \(missing.map(\.string).joined(separator: ", "))")))
    }
  }

  /// Puts back what is left, in the transaction that is open, and says what the down had no place
  /// for.
  func finish() throws {
    try putBack(isEnd: true)
    for item in open {
      emit(
        .warning(
          "\(step.title) does not bring back \(item.schema).\(item.name) as it was; what it dropped "
            + "stays in \(item.store)."))
    }
  }

  private func isPartitioned(_ item: Item) throws -> Bool {
    try work.query(
      """
      SELECT FROM pg_catalog.pg_class
      WHERE oid OPERATOR(pg_catalog.=) pg_catalog.to_regclass($1)
        AND relkind OPERATOR(pg_catalog.=) 'p'
      """, [item.qualifiedName]
    ).rowCount == 1
  }

  /// The types of the table's columns that can be written to; none when it is not there.
  private func columnTypes(_ item: Item) throws -> [SQLText: SQLText] {
    let result = try work.query(
      """
      SELECT a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod)
      FROM pg_catalog.pg_attribute a
      WHERE a.attrelid OPERATOR(pg_catalog.=) pg_catalog.to_regclass($1)
        AND a.attnum OPERATOR(pg_catalog.>) 0 AND NOT a.attisdropped
        AND a.attgenerated OPERATOR(pg_catalog.=) ''
      """, [item.qualifiedName])
    var types: [SQLText: SQLText] = [:]
    for row in 0..<result.rowCount {
      if let name = result[row, 0] { types[name] = result[row, 1] }
    }
    return types
  }

  private func insert(
    _ item: Item, _ columns: [SQLText], _ types: [SQLText: SQLText]
  ) throws -> Int {
    let names = columns.map(\.quotedIdentifier)
    let values = columns.map { name -> SQLText in
      "k.\(name.quotedIdentifier)::\(types[name] ?? "pg_catalog.text")"
    }
    let count = try count(
      """
      WITH done AS (
        INSERT INTO \(item.qualifiedName) (\(names.joined(separator: ", "))) OVERRIDING SYSTEM VALUE
        SELECT \(values.joined(separator: ", ")) FROM \(item.store) k RETURNING 1)
      SELECT pg_catalog.count(*) FROM done
      """)
    // New rows are to have numbers behind those that came back.
    for column in columns {
      let sequence = try work.query(
        "SELECT pg_catalog.pg_get_serial_sequence($1, $2)", [item.qualifiedName, column])
      guard let name = sequence[0, 0] else { continue }
      try work.run(
        """
        SELECT pg_catalog.setval(\(name.quotedLiteral), pg_catalog.max(\(column.quotedIdentifier)))
        FROM \(item.qualifiedName)
        """)
    }
    return count
  }

  private func update(_ item: Item, _ types: [SQLText: SQLText]) throws -> Int {
    let settings = item.columns.map { name -> SQLText in
      "\(name.quotedIdentifier) = k.\(name.quotedIdentifier)::\(types[name] ?? "pg_catalog.text")"
    }
    let matches = item.keys.map { name -> SQLText in
      "t.\(name.quotedIdentifier) = k.\(name.quotedIdentifier)::\(types[name] ?? "pg_catalog.text")"
    }
    return try count(
      """
      WITH done AS (
        UPDATE \(item.qualifiedName) t SET \(settings.joined(separator: ", ")) FROM \(item.store) k
        WHERE \(matches.joined(separator: " AND ")) RETURNING 1)
      SELECT pg_catalog.count(*) FROM done
      """)
  }

  private func count(_ sql: SQLText) throws -> Int { try work.query(sql).int(0, 0) ?? 0 }
}
