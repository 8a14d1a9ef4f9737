import Postgres

/// `CREATE FUNCTION` and `CREATE PROCEDURE`; aggregates are another kind.
enum Functions {
  static func read(_ session: CatalogSession) throws -> KindContents {
    var contents = KindContents()
    try session.forEach(
      """
      SELECT p.oid, n.nspname, p.proname, pg_catalog.pg_get_userbyid(p.proowner), p.proacl,
        pg_catalog.acldefault('f', p.proowner), p.prokind,
        pg_catalog.pg_get_function_identity_arguments(p.oid), pg_catalog.pg_get_functiondef(p.oid),
        pg_catalog.pg_get_function_result(p.oid), p.provolatile
      FROM pg_catalog.pg_proc p
      JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace AND \(session.isUserSchema())
      WHERE p.prokind <> 'a' AND \(session.isFree(.procedure, "p.oid"))
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
          WHERE d.classid = \(Catalog.procedure.rawValue) AND d.objid = p.oid
            AND d.deptype = 'i')
      """
    ) { row in
      let oid = row.oid()
      let (schema, name, owner) = (row.text(), row.text(), row.text())
      let (granted, initial) = (row.optional(), row.optional())
      let routine = row.letter()
      let kind = routine == "p" ? ObjectKind.procedure : .function
      let arguments = row.text()
      let signature: SQLText = "\(SQLText.qualified(schema, name))(\(arguments))"
      var object = SchemaObject(
        ObjectIdentity(.procedure, oid), kind, schema: schema, name: "\(name)(\(arguments))",
        owner: owner, definition: statement(row.text()))
      let target: SQLText = "\(kind.label) \(signature)"
      object.ownerTarget = target
      object.commentTarget = target
      object.privileges = Privileges(
        target: target, kind: .function, owner: owner, granted: granted, initial: initial)
      let (result, volatility) = (row.optional(), row.letter())
      // A window function is written in C: nothing stands in its body that needs anything.
      if routine != "w" {
        object.stub = stub(kind, signature, result, isImmutable: volatility == "i")
      }
      contents.objects.append(object)
    }
    return contents
  }

  /// What others can be made with until the function itself takes its place: its signature, and
  /// that it may stand where only immutable functions may.
  private static func stub(
    _ kind: ObjectKind, _ signature: SQLText, _ result: SQLText?, isImmutable: Bool
  ) -> SQLText {
    var sql: SQLText = "CREATE \(kind.label) \(signature)\n"
    if kind == .function, let result { sql += "    RETURNS \(result)\n" }
    sql += "    LANGUAGE sql"
    if isImmutable { sql += " IMMUTABLE" }
    return sql + "\n    AS '';\n"
  }

  /// The server's text is one that replaces; here nothing may be there to be replaced.
  private static func statement(_ definition: SQLText) -> SQLText {
    var sql = definition
    let replacing: SQLText = "CREATE OR REPLACE "
    if sql.hasPrefix(replacing) {
      sql = "CREATE " + SQLText(bytes: sql.bytes[replacing.bytes.count...])
    }
    if sql.hasSuffix("\n") { sql.bytes.removeLast() }
    return sql + ";\n"
  }
}
