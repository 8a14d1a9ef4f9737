import Postgres

/// `CREATE TRIGGER` and `CREATE CONSTRAINT TRIGGER`, with the state in which each is.
enum Triggers {
  static func read(_ session: CatalogSession) throws -> KindContents {
    var contents = KindContents()
    try session.forEach(
      """
      SELECT g.oid, g.tgname, n.nspname, t.relname, pg_catalog.pg_get_userbyid(t.relowner),
        t.oid, t.relkind = 'f', g.tgenabled, g.tgparentid, g.tgconstraint,
        CASE WHEN g.tgparentid = 0 THEN pg_catalog.pg_get_triggerdef(g.oid) END
      FROM pg_catalog.pg_trigger g
      JOIN pg_catalog.pg_class t ON t.oid = g.tgrelid
      JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace AND \(session.isUserSchema())
      LEFT JOIN pg_catalog.pg_trigger parent ON parent.oid = g.tgparentid
      LEFT JOIN pg_catalog.pg_constraint c ON c.oid = g.tgconstraint
      WHERE (g.tgparentid <> 0 OR NOT g.tgisinternal) AND (g.tgconstraint = 0 OR c.contype = 't')
        AND (g.tgparentid = 0 AND NOT g.tgisinternal OR g.tgenabled <> parent.tgenabled)
        AND \(session.isFree(.relation, "t.oid")) AND \(session.isFree(.trigger, "g.oid"))
      """
    ) { row in
      let oid = row.oid()
      let (name, schema, table, owner) = (row.text(), row.text(), row.text(), row.text())
      let tableOID = row.oid()
      let alter: SQLText = "ALTER \(row.flag() ? "FOREIGN TABLE" : "TABLE")"
      let state = row.letter()
      let parent = row.oid()
      let constraint = row.oid()
      let definition = row.optional()
      let qualifiedTable = SQLText.qualified(schema, table)
      let isClone = parent != 0
      var sql = definition.map { $0 + ";\n" } ?? ""
      if isClone || state != "O" {
        sql += """
          \(alter) \(qualifiedTable) \(verb(state)) TRIGGER \(name.quotedIdentifier);

          """
      }
      var object = SchemaObject(
        ObjectIdentity(.trigger, oid), .trigger, schema: schema, name: "\(table) \(name)",
        owner: owner, section: .postData, definition: sql)
      object.commentTarget = "TRIGGER \(name.quotedIdentifier) ON \(qualifiedTable)"
      object.tables = [tableOID]
      object.locks = [SchemaItem.Lock(table: tableOID, isShared: false)]
      if isClone { object.needs = [ObjectIdentity(.trigger, parent)] }
      if constraint != 0 {
        contents.aliases[ObjectIdentity(.constraint, constraint)] = object.identity
      }
      contents.objects.append(object)
    }
    return contents
  }

  static func verb(_ state: Character) -> SQLText {
    switch state {
    case "D": "DISABLE"
    case "A": "ENABLE ALWAYS"
    case "R": "ENABLE REPLICA"
    default: "ENABLE"
    }
  }
}
