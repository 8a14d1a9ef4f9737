import Postgres

/// `CREATE CAST` and `CREATE TRANSFORM`.
enum Casts {
  static func read(_ session: CatalogSession) throws -> KindContents {
    var contents = KindContents()
    try session.forEach(
      """
      SELECT c.oid, pg_catalog.format_type(c.castsource, NULL),
        pg_catalog.format_type(c.casttarget, NULL), c.castmethod, c.castcontext,
        CASE WHEN c.castfunc <> 0 THEN c.castfunc::pg_catalog.regprocedure END, ARRAY(
          SELECT b.oid FROM pg_catalog.pg_cast b JOIN pg_catalog.pg_proc p ON p.oid = c.castfunc
          WHERE b.castmethod = 'b' AND b.oid >= \(CatalogSession.firstUserOID)
            AND ((b.castsource = p.prorettype AND b.casttarget = c.casttarget)
              OR (b.castsource = c.castsource AND b.casttarget = p.proargtypes[0])))
      FROM pg_catalog.pg_cast c
      WHERE c.oid >= \(CatalogSession.firstUserOID) AND \(session.isFree(.cast, "c.oid"))
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_range r
          WHERE r.rngtypid = c.castsource AND r.rngmultitypid = c.casttarget)
      """
    ) { row in
      let oid = row.oid()
      let name: SQLText = "(\(row.text()) AS \(row.text()))"
      let method = row.letter()
      let context = row.letter()
      let function = row.optional()
      var sql: SQLText = "CREATE CAST \(name) "
      switch method {
      case "b": sql += "WITHOUT FUNCTION"
      case "i": sql += "WITH INOUT"
      default: sql += "WITH FUNCTION \(function ?? "")"
      }
      if context == "a" { sql += " AS ASSIGNMENT" }
      if context == "i" { sql += " AS IMPLICIT" }
      var object = SchemaObject(
        ObjectIdentity(.cast, oid), .cast, name: name, definition: sql + ";\n")
      object.commentTarget = "CAST \(name)"
      // A function may take or give a type that only such a cast makes the same as the cast's own;
      // the servers record it as a dependency from 16 on.
      object.needs = row.array().compactMap { UInt32($0.string) }
        .map { ObjectIdentity(.cast, $0) }
      contents.objects.append(object)
    }
    try readUses(session, &contents)
    contents.merge(try transforms(session))
    return contents
  }

  /// A body that is kept parsed depends on a cast's function, also where its text has the cast; on
  /// itself no function depends at all.
  private static func readUses(
    _ session: CatalogSession, _ contents: inout KindContents
  ) throws {
    let procedure = Catalog.procedure.rawValue
    try session.forEach(
      """
      SELECT p.oid, c.oid FROM pg_catalog.pg_cast c
      JOIN pg_catalog.pg_depend d ON d.classid = \(procedure) AND d.refclassid = \(procedure)
        AND d.refobjid = c.castfunc AND d.deptype = 'n'
      JOIN pg_catalog.pg_proc p ON p.oid = d.objid AND p.prosqlbody IS NOT NULL
      WHERE c.oid >= \(CatalogSession.firstUserOID) AND c.castfunc <> 0
      UNION
      SELECT p.oid, c.oid FROM pg_catalog.pg_cast c
      JOIN pg_catalog.pg_proc p ON p.oid = c.castfunc AND p.prosqlbody IS NOT NULL
      WHERE c.oid >= \(CatalogSession.firstUserOID) AND (c.castcontext <> 'e'
        OR pg_catalog.strpos(pg_catalog.pg_get_function_sqlbody(p.oid),
          '::' || pg_catalog.format_type(c.casttarget, NULL)) > 0)
      ORDER BY 1, 2
      """
    ) { row in
      contents.dependencies.append(
        Dependency(
          dependent: ObjectIdentity(.procedure, row.oid()),
          needed: ObjectIdentity(.cast, row.oid())))
    }
  }

  private static func transforms(_ session: CatalogSession) throws -> KindContents {
    var contents = KindContents()
    try session.forEach(
      """
      SELECT t.oid, pg_catalog.format_type(t.trftype, NULL), l.lanname,
        CASE WHEN t.trffromsql <> 0 THEN t.trffromsql::pg_catalog.regprocedure END,
        CASE WHEN t.trftosql <> 0 THEN t.trftosql::pg_catalog.regprocedure END
      FROM pg_catalog.pg_transform t JOIN pg_catalog.pg_language l ON l.oid = t.trflang
      WHERE t.oid >= \(CatalogSession.firstUserOID) AND \(session.isFree(.transform, "t.oid"))
      """
    ) { row in
      let oid = row.oid()
      let name: SQLText = "FOR \(row.text()) LANGUAGE \(row.text().quotedIdentifier)"
      var directions: [SQLText] = []
      if let function = row.optional() { directions.append("FROM SQL WITH FUNCTION \(function)") }
      if let function = row.optional() { directions.append("TO SQL WITH FUNCTION \(function)") }
      var object = SchemaObject(
        ObjectIdentity(.transform, oid), .transform, name: name,
        definition: "CREATE TRANSFORM \(name) (\(directions.joined(separator: ", ")));\n"
          as SQLText)
      object.commentTarget = "TRANSFORM \(name)"
      contents.objects.append(object)
    }
    return contents
  }
}
