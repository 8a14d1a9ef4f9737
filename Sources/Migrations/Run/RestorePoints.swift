import Postgres

/// Marks in the WAL, by which point-in-time recovery finds migrations.
///
/// Before each migration a restore point `pgkeep:<version>:<row>`, where the role may make one and
/// the server keeps enough WAL; the row's number makes the name unique, since recovery stops at
/// the first point of a name. And in its transaction a logical message with prefix
/// `pgkeep.migration`: a JSON object with `id`, `version`, `name`, `direction` and `sql`.
struct RestorePoints {
  /// What was marked for one step.
  struct Mark {
    /// The number of the history's row that the step is going to have.
    let row: Int
    let name: String?
    /// Where the WAL was just before the step: `0/16B3748`.
    let lsn: String

    /// Members of a JSON object.
    var json: String {
      (name.map { "\"restore_point\":\"\($0)\"," } ?? "") + "\"lsn\":\"\(lsn)\""
    }
  }

  private let mayMark: Bool
  private let mayAnnounce: Bool

  /// Finds out what the role may do.
  init(_ connection: Connection) throws {
    let result = try connection.query(
      """
      SELECT
        pg_catalog.has_function_privilege(
          'pg_catalog.pg_create_restore_point(pg_catalog.text)', 'EXECUTE')
        AND pg_catalog.current_setting('wal_level') OPERATOR(pg_catalog.<>) 'minimal',
        pg_catalog.has_function_privilege(p.oid, 'EXECUTE')
      FROM pg_catalog.pg_proc p
      WHERE p.proname OPERATOR(pg_catalog.=) 'pg_logical_emit_message'
        AND p.pronamespace OPERATOR(pg_catalog.=) 'pg_catalog'::pg_catalog.regnamespace
        AND p.proargtypes[2] OPERATOR(pg_catalog.=) 'pg_catalog.text'::pg_catalog.regtype
      """)
    mayMark = result.rowCount > 0 && result.bool(0, 0)
    mayAnnounce = result.rowCount > 0 && result.bool(0, 1)
  }

  /// Takes the number of the history's row that `step` is going to have, and makes the restore
  /// point before it.
  ///
  /// The server logs each restore point with the text that it was sent. So this goes alone: the SQL
  /// of migrations is no text for logs.
  func mark(_ step: PlannedStep, _ connection: Connection) throws -> Mark {
    let sequence: SQLText = "pg_catalog.nextval('pgkeep.migration_history_id_seq')"
    guard mayMark, let version = step.version else {
      let result = try connection.query(
        "SELECT \(sequence), pg_catalog.pg_current_wal_insert_lsn()")
      return Mark(row: result.int(0, 0) ?? 0, name: nil, lsn: result.string(0, 1))
    }
    let result = try connection.query(
      """
      SELECT s.row, pg_catalog.pg_create_restore_point(
        pg_catalog.format('pgkeep:%s:%s', '\(version.text)', s.row))
      FROM (SELECT \(sequence) AS row) s
      """)
    let row = result.int(0, 0) ?? 0
    return Mark(row: row, name: "pgkeep:\(version.text):\(row)", lsn: result.string(0, 1))
  }

  /// The statement that writes the message; nil where the role may not.
  func announcement(_ step: PlannedStep, _ mark: Mark) -> SQLText? {
    guard mayAnnounce else { return nil }
    let version = step.version.map { SQLText($0.text).quotedLiteral } ?? "NULL"
    return """
      SELECT pg_catalog.pg_logical_emit_message(true, 'pgkeep.migration',
        pg_catalog.json_build_object('id', \(SQLText("\(mark.row)"))::pg_catalog.int8,
          'version', \(version)::pg_catalog.text,
          'name', \(SQLText(step.name).quotedLiteral)::pg_catalog.text,
          'direction', '\(SQLText(step.direction.rawValue))'::pg_catalog.text,
          'sql', \(step.script.text.quotedLiteral)::pg_catalog.text)::pg_catalog.text)
      """
  }
}
