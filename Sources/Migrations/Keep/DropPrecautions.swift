import Postgres

/// Runs the statements of an up, and takes care of what they drop: copies it into the history's
/// schema, or refuses where no fresh backup has it.
///
/// What a statement drops is not guessed from its text: it is run, the catalogs are compared, and it
/// is undone to a savepoint where something has to be done before. So CASCADE and DO blocks are
/// seen too.
final class DropPrecautions {
  private let options: MigratorOptions
  private let work: Connection
  private let step: PlannedStep
  /// What copies are filed under: the history's row that the step is going to have, or that its
  /// first attempt began with.
  private let row: Int
  private let emit: @Sendable (MigrationEvent) -> Void
  private var copies = 0
  private var hasBackup = false

  /// nil where nobody asked for any.
  init?(_ session: MigrationSession, _ step: PlannedStep, row: Int) {
    options = session.options
    guard step.direction == .up, options.keepsDropped || options.backupRefusal != nil else {
      return nil
    }
    work = session.work
    emit = session.emit
    self.step = step
    self.row = row
  }

  /// Runs a statement in the transaction that is open.
  ///
  /// - Throws: ``MigrationsError/Code/dataLoss`` when what it drops cannot be kept.
  func run(_ statement: ScriptStatement, text: SQLText) throws {
    let words = statement.statement.words
    let mayDrop = words.contains("drop") || ["do", "call", "truncate"].contains(words.first)
    guard mayDrop else { return try work.run(statement, text: text) }
    let before = try TableShapes(work)
    try work.run("SAVEPOINT pgkeep_precaution")
    try work.run(statement, text: text)
    let losses = before.losses(to: try TableShapes(work))
    let isEmptied = words.first == "truncate"
    guard !losses.isEmpty || isEmptied else { return try release() }
    guard options.keepsDropped, !losses.isEmpty else {
      try checkBackup(losses)
      return try release()
    }
    try work.run("ROLLBACK TO SAVEPOINT pgkeep_precaution")
    for loss in losses { try keep(loss, before) }
    try release()
    try work.run(statement, text: text)
  }

  private func release() throws { try work.run("RELEASE SAVEPOINT pgkeep_precaution") }

  private func checkBackup(_ losses: [TableShapes.Loss]) throws {
    guard !hasBackup, let refusal = try options.backupRefusal?() else {
      hasBackup = true
      return
    }
    let what =
      losses.isEmpty
      ? "rows" : losses.map { Self.words($0) }.joined(separator: ", ")
    throw MigrationsError(
      .dataLoss,
      "\(step.title) drops \(what), and \(refusal) Nothing of it stays. Make a backup first "
        + "(backup run), or let migrate up --keep-dropped copy what is dropped.")
  }

  private func keep(_ loss: TableShapes.Loss, _ shapes: TableShapes) throws {
    let table = loss.table
    let bytes = shapes.bytes(table)
    if loss.columns == nil, bytes > options.keepLimit { throw tooLarge(loss, bytes) }
    let keys = loss.columns == nil ? [] : try key(of: table, without: loss.columns ?? [:])
    let columns = (loss.columns ?? table.columns).sorted { $0.key < $1.key }.map(\.value)
    let store: SQLText = "pgkeep.dropped_\(row)_\(try nextNumber())"
    let list = (keys + columns).map { name -> SQLText in
      "t.\(name.quotedIdentifier)::pg_catalog.text AS \(name.quotedIdentifier)"
    }
    let source: SQLText = table.isPartitioned ? table.qualifiedName : "ONLY \(table.qualifiedName)"
    try work.run("CREATE TABLE \(store) AS SELECT \(list.joined(separator: ", ")) FROM \(source) t")
    let size = try work.query(
      "SELECT pg_catalog.pg_table_size($1::pg_catalog.regclass), pg_catalog.count(*) FROM \(store)",
      [store])
    let kept = size.int(0, 0) ?? 0
    if kept > options.keepLimit { throw tooLarge(loss, kept) }
    _ = try work.query(
      """
      INSERT INTO pgkeep.dropped_data
        (history_id, store, schema, name, keys, columns, is_table, row_count, bytes)
      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
      """,
      [
        SQLText("\(row)"), store, table.schema, table.name, SQLText(arrayOf: keys),
        SQLText(arrayOf: columns), loss.columns == nil ? "t" : "f",
        SQLText("\(size.int(0, 1) ?? 0)"), SQLText("\(kept)"),
      ])
    emit(
      .warning(
        "\(step.title) drops \(Self.words(loss)); \(size.int(0, 1) ?? 0) rows are kept in \(store), "
          + "and migrate down puts them back. To give them up: DROP TABLE \(store)"))
  }

  /// An earlier attempt may have kept something already.
  private func nextNumber() throws -> Int {
    if copies == 0 {
      copies =
        try work.query(
          """
          SELECT pg_catalog.count(*) FROM pgkeep.dropped_data
          WHERE history_id OPERATOR(pg_catalog.=) $1
          """, [SQLText("\(row)")]
        ).int(0, 0) ?? 0
    }
    copies += 1
    return copies
  }

  /// Columns that tell the rows of a table apart and that stay.
  private func key(of table: TableShapes.Table, without lost: [Int: SQLText]) throws -> [SQLText] {
    let result = try work.query(
      """
      SELECT i.indexrelid, k.number
      FROM pg_catalog.pg_index i
      CROSS JOIN LATERAL pg_catalog.unnest(i.indkey::pg_catalog.int2[]) WITH ORDINALITY k (number, place)
      WHERE i.indrelid OPERATOR(pg_catalog.=) $1 AND i.indisunique AND i.indisvalid
        AND i.indpred IS NULL AND i.indexprs IS NULL
        AND k.place OPERATOR(pg_catalog.<=) i.indnkeyatts
        AND NOT EXISTS (
          SELECT FROM pg_catalog.unnest(i.indkey::pg_catalog.int2[]) x (number)
          JOIN pg_catalog.pg_attribute a ON a.attrelid OPERATOR(pg_catalog.=) i.indrelid
            AND a.attnum OPERATOR(pg_catalog.=) x.number
          WHERE NOT a.attnotnull)
      ORDER BY i.indisprimary DESC, i.indexrelid, k.place
      """, [SQLText(table.oid)])
    var keys: [(index: String, columns: [Int])] = []
    for row in 0..<result.rowCount {
      let index = result.string(row, 0)
      if keys.last?.index != index { keys.append((index, [])) }
      keys[keys.count - 1].columns.append(result.int(row, 1) ?? 0)
    }
    let usable = keys.first { key in
      key.columns.allSatisfy { lost[$0] == nil && table.columns[$0] != nil }
    }
    guard let usable else {
      throw MigrationsError(
        .dataLoss,
        "\(step.title) drops columns of \(table.words), which has no primary or unique key that "
          + "stays, so nobody could put them back. Nothing of it stays. Give the table a key first, "
          + "or leave out --keep-dropped.")
    }
    return usable.columns.compactMap { table.columns[$0] }
  }

  private func tooLarge(_ loss: TableShapes.Loss, _ bytes: Int) -> MigrationsError {
    MigrationsError(
      .dataLoss,
      "\(step.title) drops \(Self.words(loss)): \(bytes) bytes, and --keep-limit is "
        + "\(options.keepLimit). Nothing of it stays. Raise the limit, or make a backup and leave out "
        + "--keep-dropped.")
  }

  private static func words(_ loss: TableShapes.Loss) -> String {
    guard let columns = loss.columns else { return "table \(loss.table.words)" }
    let names = columns.sorted { $0.key < $1.key }.map(\.value.string).joined(separator: ", ")
    return "\(names) of \(loss.table.words)"
  }
}

extension SQLText {
  /// An array in text form.
  init(arrayOf values: [SQLText]) {
    var bytes: [UInt8] = [UInt8(ascii: "{")]
    for (index, value) in values.enumerated() {
      if index > 0 { bytes.append(UInt8(ascii: ",")) }
      bytes.append(UInt8(ascii: "\""))
      for byte in value.bytes {
        if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") {
          bytes.append(UInt8(ascii: "\\"))
        }
        bytes.append(byte)
      }
      bytes.append(UInt8(ascii: "\""))
    }
    self.init(bytes: bytes + [UInt8(ascii: "}")])
  }
}
