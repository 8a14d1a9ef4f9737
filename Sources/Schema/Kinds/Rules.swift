import Postgres

/// `CREATE RULE`; the rules that are views' queries are theirs.
enum Rules {
  static func read(_ session: CatalogSession) throws -> KindContents {
    var contents = KindContents()
    try session.forEach(
      """
      SELECT r.oid, r.rulename, n.nspname, t.relname, pg_catalog.pg_get_userbyid(t.relowner),
        t.oid, r.ev_enabled, pg_catalog.pg_get_ruledef(r.oid)
      FROM pg_catalog.pg_rewrite r
      JOIN pg_catalog.pg_class t ON t.oid = r.ev_class
      JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace AND \(session.isUserSchema())
      WHERE r.rulename <> '_RETURN' AND \(session.isFree(.relation, "t.oid"))
        AND \(session.isFree(.rule, "r.oid"))
      """
    ) { row in
      let oid = row.oid()
      let (name, schema, table, owner) = (row.text(), row.text(), row.text(), row.text())
      let tableOID = row.oid()
      let state = row.letter()
      let qualifiedTable = SQLText.qualified(schema, table)
      var sql = row.text() + "\n"
      if state != "O" {
        sql += """
          ALTER TABLE \(qualifiedTable) \(Triggers.verb(state)) RULE \(name.quotedIdentifier);

          """
      }
      var object = SchemaObject(
        ObjectIdentity(.rule, oid), .rule, schema: schema, name: "\(table) \(name)", owner: owner,
        section: .postData, definition: sql)
      object.commentTarget = "RULE \(name.quotedIdentifier) ON \(qualifiedTable)"
      object.tables = [tableOID]
      object.locks = [SchemaItem.Lock(table: tableOID, isShared: false)]
      contents.objects.append(object)
    }
    return contents
  }
}
