import Postgres

/// Privileges that somebody changed on what came with the server or with an extension: the
/// difference to what `pg_init_privs` says was there at first. information_schema, whose privileges
/// it does not record, is passed over, as pg_dump does.
enum ChangedPrivileges {
  static func read(_ session: CatalogSession) throws -> KindContents {
    var contents = KindContents()
    try session.forEach(query(session)) { row in
      let identity = ObjectIdentity(Catalog(rawValue: row.oid()), row.oid())
      let column = row.optional()
      let (target, letter, owner) = (row.text(), row.letter(), row.text())
      let (granted, initial) = (row.optional(), row.optional())
      guard let kind = kind(letter) else { return }
      var privileges = Privileges(target: target, kind: kind, owner: owner)
      if let column {
        privileges.columns = [(column, granted ?? "{}")]
        privileges.initialColumn = initial
      } else {
        privileges.granted = granted
        privileges.initial = initial
      }
      let order = Int32(contents.objects.count)
      var object = SchemaObject(
        ObjectIdentity(identity.catalog, identity.oid, column: -1000 - order), .privileges,
        name: column.map { "\(target) \($0)" } ?? target, section: .postData,
        definition: SQLText())
      object.privileges = privileges
      object.stage = .privileges
      contents.objects.append(object)
    }
    return contents
  }

  private static func kind(_ letter: Character) -> PrivilegeKind? {
    switch letter {
    case "r": .table
    case "s": .sequence
    case "f": .function
    case "T": .type
    case "n": .schema
    case "l": .language
    case "F": .foreignDataWrapper
    case "S": .foreignServer
    default: nil
    }
  }

  /// All catalogs with access control lists, in one shape: catalog, OID, column, what stands after
  /// `ON`, the letter that `acldefault()` takes, owner, list, and the list it started from.
  private static func query(_ session: CatalogSession) -> SQLText {
    let sources: [(Catalog, SQLText)] = [
      (
        .relation,
        """
        SELECT c.oid, 0 AS sub, NULL::name AS col,
          CASE WHEN c.relkind = 'S' THEN 'SEQUENCE ' ELSE 'TABLE ' END
            || pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname),
          CASE WHEN c.relkind = 'S' THEN 's' ELSE 'r' END, c.relowner, c.relacl
        FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname <> 'information_schema'
          AND (c.relacl IS NOT NULL OR c.oid IN (SELECT p.objoid FROM pg_catalog.pg_init_privs p
            WHERE p.classoid = \(Catalog.relation.rawValue) AND p.objsubid = 0))
        UNION ALL
        SELECT c.oid, a.attnum, a.attname,
          'TABLE ' || pg_catalog.quote_ident(n.nspname) || '.'
            || pg_catalog.quote_ident(c.relname),
          'r', c.relowner, a.attacl
        FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE a.attacl IS NOT NULL AND NOT a.attisdropped
          AND n.nspname <> 'information_schema'
        """
      ),
      (
        .procedure,
        """
        SELECT p.oid, 0, NULL::name,
          CASE p.prokind WHEN 'p' THEN 'PROCEDURE ' ELSE 'FUNCTION ' END
            || pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(p.proname)
            || '(' || pg_catalog.oidvectortypes(p.proargtypes) || ')', 'f', p.proowner, p.proacl
        FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
        WHERE n.nspname <> 'information_schema'
        """
      ),
      (
        .type,
        """
        SELECT t.oid, 0, NULL::name, 'TYPE ' || pg_catalog.quote_ident(n.nspname) || '.'
            || pg_catalog.quote_ident(t.typname), 'T', t.typowner, t.typacl
        FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
        WHERE n.nspname <> 'information_schema'
        """
      ),
      (
        .schema,
        """
        SELECT n.oid, 0, NULL::name, 'SCHEMA ' || pg_catalog.quote_ident(n.nspname), 'n',
          n.nspowner, n.nspacl
        FROM pg_catalog.pg_namespace n
        WHERE n.nspname NOT IN ('public', 'information_schema')
        """
      ),
      (
        .language,
        """
        SELECT l.oid, 0, NULL::name, 'LANGUAGE ' || pg_catalog.quote_ident(l.lanname), 'l',
          l.lanowner, l.lanacl
        FROM pg_catalog.pg_language l
        """
      ),
      (
        .foreignDataWrapper,
        """
        SELECT f.oid, 0, NULL::name,
          'FOREIGN DATA WRAPPER ' || pg_catalog.quote_ident(f.fdwname), 'F', f.fdwowner, f.fdwacl
        FROM pg_catalog.pg_foreign_data_wrapper f
        """
      ),
      (
        .foreignServer,
        """
        SELECT s.oid, 0, NULL::name, 'FOREIGN SERVER ' || pg_catalog.quote_ident(s.srvname), 'S',
          s.srvowner, s.srvacl
        FROM pg_catalog.pg_foreign_server s
        """
      ),
    ]
    return sources.map { catalog, select in
      """
      SELECT \(catalog.rawValue)::oid, o.oid, o.col, o.target, o.letter,
        pg_catalog.pg_get_userbyid(o.owner), o.acl,
        COALESCE(i.initprivs, CASE WHEN o.sub = 0
          THEN pg_catalog.acldefault(o.letter::"char", o.owner) ELSE '{}' END)
      FROM (\(select)) AS o (oid, sub, col, target, letter, owner, acl)
      LEFT JOIN pg_catalog.pg_init_privs i ON i.classoid = \(catalog.rawValue)
        AND i.objoid = o.oid AND i.objsubid = o.sub
      WHERE (o.acl IS NOT NULL OR i.initprivs IS NOT NULL)
        AND o.acl::text IS DISTINCT FROM i.initprivs::text
        AND (o.oid < \(CatalogSession.firstUserOID)
            -- initdb keeps no record of what it grants here
            AND o.target !~ '^[A-Z]+ information_schema(\\.|$)'
          OR o.oid IN (SELECT e.objid FROM pg_catalog.pg_depend e
            WHERE e.refclassid = \(Catalog.extension.rawValue) AND e.deptype = 'e'
              AND e.classid = \(catalog.rawValue) AND e.objsubid = 0))
      """ as SQLText
    }.joined(separator: "\nUNION ALL\n")
  }
}
