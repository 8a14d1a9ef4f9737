import Postgres

/// `CREATE MATERIALIZED VIEW … WITH NO DATA`, and `REFRESH` at the end where there were rows.
enum MaterializedViews {
  static func objects(_ row: RelationRow, _ context: Relations.Context) -> [SchemaObject] {
    let columns = context.columns[row.oid] ?? []
    var query = row.query ?? ""
    if query.hasSuffix(";") { query.bytes.removeLast() }
    var sql: SQLText = "CREATE MATERIALIZED VIEW \(row.qualifiedName)"
    if let method = row.accessMethod, method != "heap" {
      sql += "\nUSING \(method.quotedIdentifier)"
    }
    if let options = row.optionClause() { sql += "\n\(options)" }
    if let tablespace = row.tablespace { sql += "\nTABLESPACE \(tablespace.quotedIdentifier)" }
    sql += " AS\n\(query)\n  WITH NO DATA;\n" + row.columnAlterations(columns)
    var objects = [row.object(.materializedView, columns, sql)]
    if row.isPopulated {
      var refresh = SchemaObject(
        ObjectIdentity(.relation, row.oid, column: SchemaObject.refresh), .materializedViewRefresh,
        schema: row.schema, name: row.name, owner: row.owner, section: .postData,
        definition: "REFRESH MATERIALIZED VIEW \(row.qualifiedName);\n" as SQLText)
      refresh.stage = .last
      refresh.needs = [row.identity]
      refresh.tables = [row.oid]
      refresh.locks = [SchemaItem.Lock(table: row.oid, isShared: false)]
      objects.append(refresh)
    }
    return objects
  }
}
