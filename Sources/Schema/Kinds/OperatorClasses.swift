import Postgres

/// `CREATE ACCESS METHOD`, `CREATE OPERATOR FAMILY` and `CREATE OPERATOR CLASS`.
enum OperatorClasses {
  /// An operator or a function of a class or family.
  private struct Member {
    var sql: SQLText
    /// Made after initdb.
    var isUsers: Bool
  }

  static func read(_ session: CatalogSession) throws -> KindContents {
    var contents = try accessMethods(session)
    let members = try readMembers(session, &contents)
    contents.merge(try families(session, members))
    contents.merge(try classes(session, members))
    contents.merge(try systemFamilies(session, members))
    return contents
  }

  private static func accessMethods(_ session: CatalogSession) throws -> KindContents {
    var contents = KindContents()
    try session.forEach(
      """
      SELECT a.oid, a.amname, a.amtype, a.amhandler FROM pg_catalog.pg_am a
      WHERE a.oid >= \(CatalogSession.firstUserOID) AND \(session.isFree(.accessMethod, "a.oid"))
      """
    ) { row in
      let oid = row.oid()
      let name = row.text()
      let type: SQLText = row.letter() == "t" ? "TABLE" : "INDEX"
      var object = SchemaObject(
        ObjectIdentity(.accessMethod, oid), .accessMethod, name: name,
        definition: """
          CREATE ACCESS METHOD \(name.quotedIdentifier) TYPE \(type) HANDLER \(row.text());

          """ as SQLText)
      object.commentTarget = "ACCESS METHOD \(name.quotedIdentifier)"
      contents.objects.append(object)
    }
    return contents
  }

  /// Operators and functions by the class or the family that they belong to.
  private static func readMembers(
    _ session: CatalogSession, _ contents: inout KindContents
  ) throws -> [ObjectIdentity: [Member]] {
    var members: [ObjectIdentity: [Member]] = [:]
    // An operator with a sort family depends on that family too: the own one is meant. Nothing
    // depends on a family that the server brought.
    try session.forEach(
      """
      SELECT COALESCE(d.refclassid, \(Catalog.operatorFamily.rawValue)),
        COALESCE(d.refobjid, o.amopfamily), o.oid, o.amopstrategy, o.amopopr::pg_catalog.regoperator,
        fn.nspname, f.opfname
      FROM pg_catalog.pg_amop o
      LEFT JOIN pg_catalog.pg_depend d ON d.classid = \(Catalog.accessMethodOperator.rawValue)
        AND d.objid = o.oid AND (d.refclassid = \(Catalog.operatorClass.rawValue)
          OR d.refclassid = \(Catalog.operatorFamily.rawValue) AND d.refobjid = o.amopfamily)
      LEFT JOIN pg_catalog.pg_opfamily f ON f.oid = o.amopsortfamily
      LEFT JOIN pg_catalog.pg_namespace fn ON fn.oid = f.opfnamespace
      WHERE d.objid IS NOT NULL OR o.oid >= \(CatalogSession.firstUserOID)
      ORDER BY o.amopstrategy, o.amopopr::pg_catalog.regoperator::pg_catalog.text COLLATE "C"
      """
    ) { row in
      let owner = ObjectIdentity(Catalog(rawValue: row.oid()), row.oid())
      let oid = row.oid()
      contents.aliases[ObjectIdentity(.accessMethodOperator, oid)] = owner
      var line: SQLText = "OPERATOR \(row.text()) \(row.text())"
      let (schema, family) = (row.text(), row.text())
      if !family.isEmpty { line += " FOR ORDER BY \(SQLText.qualified(schema, family))" }
      members[owner, default: []].append(
        Member(sql: line, isUsers: oid >= CatalogSession.firstUserOID))
    }
    try session.forEach(
      """
      SELECT COALESCE(d.refclassid, \(Catalog.operatorFamily.rawValue)),
        COALESCE(d.refobjid, p.amprocfamily), p.oid, p.amprocnum,
        pg_catalog.format_type(p.amproclefttype, NULL),
        pg_catalog.format_type(p.amprocrighttype, NULL), p.amproc::pg_catalog.regprocedure
      FROM pg_catalog.pg_amproc p
      LEFT JOIN pg_catalog.pg_depend d ON d.classid = \(Catalog.accessMethodProcedure.rawValue)
        AND d.objid = p.oid AND (d.refclassid = \(Catalog.operatorClass.rawValue)
          OR d.refclassid = \(Catalog.operatorFamily.rawValue) AND d.refobjid = p.amprocfamily)
      WHERE d.objid IS NOT NULL OR p.oid >= \(CatalogSession.firstUserOID)
      ORDER BY p.amprocnum, 5, 6
      """
    ) { row in
      let owner = ObjectIdentity(Catalog(rawValue: row.oid()), row.oid())
      let oid = row.oid()
      contents.aliases[ObjectIdentity(.accessMethodProcedure, oid)] = owner
      let line: SQLText = "FUNCTION \(row.text()) (\(row.text()), \(row.text())) \(row.text())"
      members[owner, default: []].append(
        Member(sql: line, isUsers: oid >= CatalogSession.firstUserOID))
    }
    return members
  }

  /// Families of the server's own that somebody added to. pg_dump loses what was added.
  private static func systemFamilies(
    _ session: CatalogSession, _ members: [ObjectIdentity: [Member]]
  ) throws -> KindContents {
    let added = members.filter { owner, _ in
      owner.catalog == .operatorFamily && owner.oid < CatalogSession.firstUserOID
    }.compactMapValues { list in
      let own = list.filter(\.isUsers)
      return own.isEmpty ? nil : own
    }
    var contents = KindContents()
    guard !added.isEmpty else { return contents }
    let oids = added.keys.map { "\($0.oid)" as SQLText }.joined(separator: ", ")
    try session.forEach(
      """
      SELECT f.oid, n.nspname, f.opfname, '', a.amname FROM pg_catalog.pg_opfamily f
      JOIN pg_catalog.pg_namespace n ON n.oid = f.opfnamespace
      JOIN pg_catalog.pg_am a ON a.oid = f.opfmethod
      WHERE f.oid IN (\(oids))
      """
    ) { row in
      let named = NamedObject(&row)
      let using: SQLText = " USING \(row.text().quotedIdentifier)"
      let identity = ObjectIdentity(.operatorFamily, named.oid)
      contents.objects.append(
        SchemaObject(
          identity, .operatorFamily, schema: named.schema, name: named.name + using,
          definition: addition("\(named.qualifiedName)\(using)", added[identity] ?? [])))
    }
    return contents
  }

  private static func addition(_ family: SQLText, _ members: [Member]) -> SQLText {
    """
    ALTER OPERATOR FAMILY \(family) ADD
    \(members.map { "    \($0.sql)" as SQLText }.joined(separator: ",\n"));

    """
  }

  private static func families(
    _ session: CatalogSession, _ members: [ObjectIdentity: [Member]]
  ) throws -> KindContents {
    var contents = KindContents()
    try session.forEach(
      """
      SELECT f.oid, n.nspname, f.opfname, pg_catalog.pg_get_userbyid(f.opfowner), a.amname
      FROM pg_catalog.pg_opfamily f
      JOIN pg_catalog.pg_namespace n ON n.oid = f.opfnamespace AND \(session.isUserSchema())
      JOIN pg_catalog.pg_am a ON a.oid = f.opfmethod
      WHERE \(session.isFree(.operatorFamily, "f.oid"))
      """
    ) { row in
      let named = NamedObject(&row)
      let using: SQLText = " USING \(row.text().quotedIdentifier)"
      var sql: SQLText = "CREATE OPERATOR FAMILY \(named.qualifiedName)\(using);\n"
      if let members = members[ObjectIdentity(.operatorFamily, named.oid)] {
        sql += addition("\(named.qualifiedName)\(using)", members)
      }
      contents.objects.append(named.object(.operatorFamily, .operatorFamily, sql, suffix: using))
    }
    return contents
  }

  private static func classes(
    _ session: CatalogSession, _ members: [ObjectIdentity: [Member]]
  ) throws -> KindContents {
    var contents = KindContents()
    try session.forEach(
      """
      SELECT c.oid, n.nspname, c.opcname, pg_catalog.pg_get_userbyid(c.opcowner), a.amname,
        c.opcdefault, pg_catalog.format_type(c.opcintype, NULL), fn.nspname, f.opfname,
        pg_catalog.format_type(CASE WHEN c.opckeytype <> 0 THEN c.opckeytype END, NULL)
      FROM pg_catalog.pg_opclass c
      JOIN pg_catalog.pg_namespace n ON n.oid = c.opcnamespace AND \(session.isUserSchema())
      JOIN pg_catalog.pg_am a ON a.oid = c.opcmethod
      JOIN pg_catalog.pg_opfamily f ON f.oid = c.opcfamily
      JOIN pg_catalog.pg_namespace fn ON fn.oid = f.opfnamespace
      WHERE \(session.isFree(.operatorClass, "c.oid"))
      """
    ) { row in
      let named = NamedObject(&row)
      let using: SQLText = " USING \(row.text().quotedIdentifier)"
      let isDefault = row.flag()
      let type = row.text()
      let family = SQLText.qualified(row.text(), row.text())
      var lines = (members[ObjectIdentity(.operatorClass, named.oid)] ?? []).map(\.sql)
      let storage = row.optional()
      // A class must have something in it; its own type is what is stored anyway.
      if storage != nil || lines.isEmpty { lines.insert("STORAGE \(storage ?? type)", at: 0) }
      let sql: SQLText = """
        CREATE OPERATOR CLASS \(named.qualifiedName)
            \(isDefault ? "DEFAULT " : "")FOR TYPE \(type)\(using) FAMILY \(family) AS
        \(lines.map { "    \($0)" as SQLText }.joined(separator: ",\n"));

        """
      contents.objects.append(named.object(.operatorClass, .operatorClass, sql, suffix: using))
    }
    return contents
  }
}
