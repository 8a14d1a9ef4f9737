import Postgres

/// `CREATE POLICY`.
enum Policies {
  static func read(_ session: CatalogSession) throws -> KindContents {
    var contents = KindContents()
    try session.forEach(
      """
      SELECT p.oid, p.polname, n.nspname, t.relname, pg_catalog.pg_get_userbyid(t.relowner),
        t.oid, p.polpermissive, p.polcmd,
        CASE WHEN p.polroles <> '{0}' THEN
          ARRAY(SELECT pg_catalog.pg_get_userbyid(u) FROM pg_catalog.unnest(p.polroles) u) END,
        pg_catalog.pg_get_expr(p.polqual, p.polrelid),
        pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid)
      FROM pg_catalog.pg_policy p
      JOIN pg_catalog.pg_class t ON t.oid = p.polrelid
      JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace AND \(session.isUserSchema())
      WHERE \(session.isFree(.relation, "t.oid")) AND \(session.isFree(.policy, "p.oid"))
      """
    ) { row in
      let oid = row.oid()
      let (name, schema, table, owner) = (row.text(), row.text(), row.text(), row.text())
      let tableOID = row.oid()
      let qualifiedTable = SQLText.qualified(schema, table)
      let target: SQLText = "POLICY \(name.quotedIdentifier) ON \(qualifiedTable)"
      var sql: SQLText = "CREATE \(target)"
      if !row.flag() { sql += " AS RESTRICTIVE" }
      switch row.letter() {
      case "r": sql += " FOR SELECT"
      case "a": sql += " FOR INSERT"
      case "w": sql += " FOR UPDATE"
      case "d": sql += " FOR DELETE"
      default: break
      }
      let roles = row.array()
      contents.roles.formUnion(roles)
      if !roles.isEmpty { sql += " TO \(roles.map(\.quotedIdentifier).joined(separator: ", "))" }
      if let condition = row.optional() { sql += " USING (\(condition))" }
      if let check = row.optional() { sql += " WITH CHECK (\(check))" }
      var object = SchemaObject(
        ObjectIdentity(.policy, oid), .policy, schema: schema, name: "\(table) \(name)",
        owner: owner, section: .postData, definition: sql + ";\n")
      object.commentTarget = target
      object.tables = [tableOID]
      object.locks = [SchemaItem.Lock(table: tableOID, isShared: false)]
      contents.objects.append(object)
    }
    return contents
  }
}
