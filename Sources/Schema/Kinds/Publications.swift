import Postgres

/// `CREATE PUBLICATION`, and the tables and schemas in it.
enum Publications {
  static func read(_ session: CatalogSession) throws -> KindContents {
    var contents = try publications(session)
    contents.merge(try tables(session))
    if session.version >= 15 { contents.merge(try schemas(session)) }
    return contents
  }

  private static func publications(_ session: CatalogSession) throws -> KindContents {
    var contents = KindContents()
    try session.forEach(
      """
      SELECT p.oid, p.pubname, pg_catalog.pg_get_userbyid(p.pubowner), p.puballtables,
        p.pubinsert, p.pubupdate, p.pubdelete, p.pubtruncate, p.pubviaroot,
        \(session.since(18, "p.pubgencols", else: "'n'"))
      FROM pg_catalog.pg_publication p WHERE \(session.isFree(.publication, "p.oid"))
      """
    ) { row in
      let oid = row.oid()
      let (name, owner) = (row.text(), row.text())
      let target: SQLText = "PUBLICATION \(name.quotedIdentifier)"
      var sql: SQLText = "CREATE \(target)"
      if row.flag() { sql += " FOR ALL TABLES" }
      let actions = ["insert", "update", "delete", "truncate"].filter { _ in row.flag() }
      sql += " WITH (publish = '\(actions.joined(separator: ", "))'"
      if row.flag() { sql += ", publish_via_partition_root = true" }
      if row.letter() == "s" { sql += ", publish_generated_columns = stored" }
      var object = SchemaObject(
        ObjectIdentity(.publication, oid), .publication, name: name, owner: owner,
        section: .postData, definition: sql + ");\n")
      object.ownerTarget = target
      object.commentTarget = target
      contents.objects.append(object)
    }
    return contents
  }

  private static func tables(_ session: CatalogSession) throws -> KindContents {
    var contents = KindContents()
    let columns: SQLText = """
      (SELECT pg_catalog.string_agg(pg_catalog.quote_ident(a.attname), ', ' ORDER BY a.attnum)
        FROM pg_catalog.pg_attribute a
        WHERE a.attrelid = r.prrelid
          AND a.attnum = ANY (pg_catalog.string_to_array(r.prattrs::text, ' ')::int2[]))
      """
    try session.forEach(
      """
      SELECT r.oid, r.prpubid, p.pubname, r.prrelid, n.nspname, t.relname,
        \(session.since(15, "CASE WHEN r.prattrs IS NOT NULL THEN \(columns) END", else: "NULL")),
        \(session.since(15, "pg_catalog.pg_get_expr(r.prqual, r.prrelid)", else: "NULL"))
      FROM pg_catalog.pg_publication_rel r
      JOIN pg_catalog.pg_publication p ON p.oid = r.prpubid
      JOIN pg_catalog.pg_class t ON t.oid = r.prrelid
      JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
      WHERE \(session.isFree(.publication, "p.oid"))
      """
    ) { row in
      let oid = row.oid()
      let publication = ObjectIdentity(.publication, row.oid())
      let name = row.text()
      let table = row.oid()
      let (schema, tableName) = (row.text(), row.text())
      var sql: SQLText = """
        ALTER PUBLICATION \(name.quotedIdentifier) ADD TABLE ONLY \
        \(SQLText.qualified(schema, tableName))
        """
      if let columns = row.optional() { sql += " (\(columns))" }
      if let condition = row.optional() { sql += " WHERE (\(condition))" }
      var object = SchemaObject(
        ObjectIdentity(.publicationTable, oid), .publicationTable, schema: schema,
        name: "\(name) \(tableName)", section: .postData, definition: sql + ";\n")
      object.needs = [publication, ObjectIdentity(.relation, table)]
      object.tables = [table]
      object.locks = [SchemaItem.Lock(table: table, isShared: false)]
      contents.objects.append(object)
    }
    return contents
  }

  private static func schemas(_ session: CatalogSession) throws -> KindContents {
    var contents = KindContents()
    try session.forEach(
      """
      SELECT s.oid, s.pnpubid, p.pubname, s.pnnspid, n.nspname
      FROM pg_catalog.pg_publication_namespace s
      JOIN pg_catalog.pg_publication p ON p.oid = s.pnpubid
      JOIN pg_catalog.pg_namespace n ON n.oid = s.pnnspid
      WHERE \(session.isFree(.publication, "p.oid"))
      """
    ) { row in
      let oid = row.oid()
      let publication = ObjectIdentity(.publication, row.oid())
      let name = row.text()
      let schemaOID = row.oid()
      let schema = row.text()
      var object = SchemaObject(
        ObjectIdentity(.publicationSchema, oid), .publicationSchema, schema: schema,
        name: "\(name) \(schema)", section: .postData,
        definition: """
          ALTER PUBLICATION \(name.quotedIdentifier) ADD TABLES IN SCHEMA \
          \(schema.quotedIdentifier);

          """ as SQLText)
      object.needs = [publication, ObjectIdentity(.schema, schemaOID)]
      contents.objects.append(object)
    }
    return contents
  }
}
