import Postgres
import Schema

/// The tables in which the schema is kept as migrations left it.
struct SchemaRecords {
  let connection: Connection

  /// What the newest record says, without its objects.
  struct Newest {
    /// The history's row that the record belongs to.
    let historyID: Int
    let fingerprint: SchemaFingerprint
    /// `2026-11-22T09:30:00.123Z`
    let recordedAt: String
  }

  /// nil where none was made, or an older version of this tool made the tables.
  func newest() throws -> Newest? {
    guard try HistorySchema.format(connection) >= 2 else { return nil }
    let result = try connection.query(
      """
      SELECT history_id, fingerprint_after, pg_catalog.to_char(
        pg_catalog.timezone('UTC', recorded_at), 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
      FROM pgkeep.schema_record ORDER BY id DESC LIMIT 1
      """)
    guard result.rowCount == 1, let historyID = result.int(0, 0) else { return nil }
    return Newest(
      historyID: historyID, fingerprint: SchemaFingerprint(hex: result.string(0, 1)),
      recordedAt: result.string(0, 2))
  }

  /// The objects of the newest record.
  func state() throws -> SchemaState {
    let result = try connection.query(
      "SELECT kind, schema, name, sql FROM pgkeep.schema_object ORDER BY position")
    return SchemaState(
      objects: (0..<result.rowCount).compactMap { row in
        guard let kind = ObjectKind(caseName: result.string(row, 0)), let name = result[row, 2],
          let sql = result[row, 3]
        else { return nil }
        return SchemaState.Object(
          key: SchemaState.Key(kind: kind, schema: result[row, 1], name: name), sql: sql)
      })
  }

  /// Keeps what the migrations of some rows changed, and the schema that they left.
  func add(
    first: Int, last: Int, from before: SchemaState, to after: SchemaState
  ) throws {
    let fingerprints = (try before.fingerprint(), try after.fingerprint())
    let difference = SchemaDifference(from: before, to: after)
    try connection.transaction {
      _ = try connection.query(
        """
        INSERT INTO pgkeep.schema_record
          (first_history_id, history_id, fingerprint_before, fingerprint_after, difference)
        SELECT $1, $2, $3, $4, COALESCE((
          SELECT pg_catalog.jsonb_agg(
            pg_catalog.jsonb_build_object('change', d.change, 'what', d.what) ORDER BY d.place)
          FROM ROWS FROM (
            pg_catalog.unnest($5::pg_catalog.text[]), pg_catalog.unnest($6::pg_catalog.text[]))
            WITH ORDINALITY d (change, what, place)), '[]')
        """,
        [
          SQLText("\(first)"), SQLText("\(last)"), SQLText(fingerprints.0.hex),
          SQLText(fingerprints.1.hex),
          SQLText(arrayOf: difference.entries.map { SQLText($0.change.rawValue) }),
          SQLText(arrayOf: difference.entries.map { SQLText($0.what) }),
        ])
      if try fingerprints.1 != stored() { try replace(after) }
    }
  }

  /// The fingerprint of the objects that are kept.
  private func stored() throws -> SchemaFingerprint { try state().fingerprint() }

  private func replace(_ state: SchemaState) throws {
    try connection.run("DELETE FROM pgkeep.schema_object")
    var position = 0
    while position < state.objects.count {
      let batch = state.objects[position..<min(position + 1000, state.objects.count)]
      _ = try connection.query(
        """
        INSERT INTO pgkeep.schema_object (position, kind, schema, name, sql)
        SELECT $1::pg_catalog.int4 + o.place, o.kind, NULLIF(o.schema, ''), o.name, o.sql
        FROM ROWS FROM (
          pg_catalog.unnest($2::pg_catalog.text[]), pg_catalog.unnest($3::pg_catalog.text[]),
          pg_catalog.unnest($4::pg_catalog.text[]), pg_catalog.unnest($5::pg_catalog.text[]))
          WITH ORDINALITY o (kind, schema, name, sql, place)
        """,
        [
          SQLText("\(position)"), SQLText(arrayOf: batch.map { SQLText($0.key.kind.caseName) }),
          SQLText(arrayOf: batch.map { $0.key.schema ?? SQLText() }),
          SQLText(arrayOf: batch.map(\.key.name)),
          SQLText(arrayOf: batch.map(\.sql)),
        ])
      position += batch.count
    }
  }
}
