import Postgres

/// One row of `pg_class`: a table, foreign table, view or materialized view.
struct RelationRow: Sendable {
  var oid: UInt32
  var schema: SQLText
  var name: SQLText
  var owner: SQLText
  var granted: SQLText?
  var initial: SQLText?
  var kind: Character
  var isUnlogged: Bool
  var isPartition: Bool
  var hasRowSecurity: Bool
  var forcesRowSecurity: Bool
  var replicaIdentity: Character
  var options: [SQLText]
  var toastOptions: [SQLText]
  var tablespace: SQLText?
  var accessMethod: SQLText?
  var typeName: SQLText?
  var partitionKey: SQLText?
  var partitionBound: SQLText?
  var query: SQLText?
  var pages: Int
  var estimatedRows: Double
  var isPopulated: Bool
  var isInExtension: Bool
  var extensionCondition: SQLText?
  var server: SQLText?
  var foreignOptions: [SQLText]

  var identity: ObjectIdentity { ObjectIdentity(.relation, oid) }
  var qualifiedName: SQLText { .qualified(schema, name) }

  static func read(
    _ session: CatalogSession, _ slice: RelationSlice
  ) throws -> [RelationRow] {
    try session.rows(
      """
      SELECT c.oid, n.nspname, c.relname, pg_catalog.pg_get_userbyid(c.relowner), c.relacl,
        pg_catalog.acldefault('r', c.relowner), c.relkind, c.relpersistence = 'u',
        c.relispartition, c.relrowsecurity, c.relforcerowsecurity, c.relreplident, c.reloptions,
        tc.reloptions, ts.spcname, am.amname,
        CASE WHEN c.reloftype <> 0 THEN pg_catalog.format_type(c.reloftype, NULL) END,
        CASE WHEN c.relkind = 'p' THEN pg_catalog.pg_get_partkeydef(c.oid) END,
        pg_catalog.pg_get_expr(c.relpartbound, c.oid),
        CASE WHEN c.relkind IN ('v', 'm') THEN pg_catalog.pg_get_viewdef(c.oid) END,
        c.relpages, c.reltuples, c.relispopulated,
        NOT (\(session.isFree(.relation, "c.oid"))), cfg.condition,
        s.srvname, f.ftoptions
      FROM pg_catalog.pg_class c
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace AND \(session.isUserSchema())
      LEFT JOIN pg_catalog.pg_class tc ON tc.oid = c.reltoastrelid
      LEFT JOIN pg_catalog.pg_tablespace ts ON ts.oid = c.reltablespace
      LEFT JOIN pg_catalog.pg_am am ON am.oid = c.relam
      LEFT JOIN pg_catalog.pg_foreign_table f ON f.ftrelid = c.oid
      LEFT JOIN pg_catalog.pg_foreign_server s ON s.oid = f.ftserver
      LEFT JOIN (
        SELECT u.oid, COALESCE(u.condition, '') AS condition FROM pg_catalog.pg_extension e,
          ROWS FROM (pg_catalog.unnest(e.extconfig), pg_catalog.unnest(e.extcondition))
            AS u (oid, condition)
      ) cfg ON cfg.oid = c.oid
      WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm') AND c.relpersistence <> 't'
        AND \(slice.holds("c.oid"))
      """
    ) { row in RelationRow(&row) }
  }

  private init(_ row: inout CatalogRow) {
    oid = row.oid()
    schema = row.text()
    name = row.text()
    owner = row.text()
    granted = row.optional()
    initial = row.optional()
    kind = row.letter()
    isUnlogged = row.flag()
    isPartition = row.flag()
    hasRowSecurity = row.flag()
    forcesRowSecurity = row.flag()
    let replicaIdentity = row.letter()
    // Foreign tables have one in the catalog that cannot be set.
    self.replicaIdentity = kind == "f" ? "d" : replicaIdentity
    options = row.array()
    toastOptions = row.array()
    tablespace = row.optional()
    accessMethod = row.optional()
    typeName = row.optional()
    partitionKey = row.optional()
    partitionBound = row.optional()
    query = row.optional()
    pages = row.int()
    estimatedRows = row.decimal()
    isPopulated = row.flag()
    isInExtension = row.flag()
    extensionCondition = row.optional()
    server = row.optional()
    foreignOptions = row.array()
  }

  /// The object with what all relations have: owner, comments, privileges.
  func object(
    _ kind: ObjectKind, _ columns: [TableColumn], _ definition: any ObjectDefinition
  ) -> SchemaObject {
    var object = SchemaObject(
      identity, kind, schema: schema, name: name, owner: owner, definition: definition)
    object.ownerTarget = "\(kind.label) \(qualifiedName)"
    object.commentTarget = "\(kind.label) \(qualifiedName)"
    object.columnPrefix = qualifiedName
    object.tables = [oid]
    var privileges = Privileges(
      target: "TABLE \(qualifiedName)", kind: .table, owner: owner, granted: granted,
      initial: initial)
    for column in columns {
      object.columnNames[column.number] = column.name
      if let granted = column.granted { privileges.columns.append((column.name, granted)) }
    }
    object.privileges = privileges
    return object
  }

  /// `WITH (…)`, nil without options.
  func optionClause(without left: Set<String> = []) -> SQLText? {
    var list = options.filter { !left.contains(OptionList.split($0).name.string) }
      .map { OptionList.storage([$0]) }
    list += toastOptions.map { OptionList.storage([$0], prefix: "toast.") }
    return list.isEmpty ? nil : "WITH (\(list.joined(separator: ", ")))"
  }

  /// Statistics targets, storage, compression and options of columns.
  func columnAlterations(_ columns: [TableColumn]) -> SQLText {
    let table: SQLText = "ALTER \(kind == "f" ? "FOREIGN TABLE" : "TABLE") ONLY \(qualifiedName)"
    var sql = SQLText()
    for column in columns {
      let alter: SQLText = "\(table) ALTER COLUMN \(column.name.quotedIdentifier)"
      if let target = column.statistics { sql += "\(alter) SET STATISTICS \(target);\n" }
      if let storage = column.storage {
        let name =
          switch storage {
          case "p": "PLAIN"
          case "e": "EXTERNAL"
          case "m": "MAIN"
          default: "EXTENDED"
          }
        sql += "\(alter) SET STORAGE \(name);\n"
      }
      if column.compression != " " {
        sql += "\(alter) SET COMPRESSION \(column.compression == "l" ? "lz4" : "pglz");\n"
      }
      if !column.options.isEmpty {
        sql += "\(alter) SET (\(OptionList.storage(column.options)));\n"
      }
    }
    return sql
  }
}
