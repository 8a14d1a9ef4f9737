import Postgres

/// All that the catalogs hold of the user's, counted without any help from the renderers, so that
/// what no renderer expresses is noticed and named.
struct Inventory {
  private let session: CatalogSession

  init(_ session: CatalogSession) { self.session = session }

  /// Every row that is the user's.
  static func read(_ session: CatalogSession) throws -> KindContents {
    var contents = KindContents()
    // A row for each query: hundreds of thousands of small rows take longer than their OIDs.
    let selects = queries(session).map { query, step in
      """
      SELECT pg_catalog.min(i.classid), \(step), pg_catalog.string_agg(i.oid::pg_catalog.text, ' ')
      FROM (\(query)) i (classid, oid)
      """ as SQLText
    }
    // Catalogs that this version has never heard of.
    let known = Catalog.known.map { "\($0.rawValue)" as SQLText }.joined(separator: ", ")
    let unknown: SQLText = """
      SELECT d.classid, 0, pg_catalog.string_agg(d.objid::pg_catalog.text, ' ')
      FROM pg_catalog.pg_depend d
      WHERE d.objid >= \(CatalogSession.firstUserOID) AND d.classid NOT IN (\(known))
      GROUP BY d.classid
      """
    try session.forEach((selects + [unknown]).joined(separator: "\nUNION ALL\n")) { row in
      let catalog = Catalog(rawValue: row.oid())
      let step = Int32(row.int())
      contents.inventory += row.oids().map { ObjectIdentity(catalog, $0, column: step) }
    }
    return contents
  }

  /// What is in the catalogs and in no statement of `contents`.
  ///
  /// - Parameter selection: what is wanted of the database; nil for all of it.
  func missing(
    in contents: KindContents, _ selection: SchemaSelection? = nil
  ) throws -> [UnsupportedObject] {
    let expressed = Expressed(contents)
    var lost = contents.comments.targets.filter { !expressed.canCarryComment($0) }
    var missing = contents.inventory.filter { !expressed.has($0) }
    if let selection {
      missing = try wanted(missing, selection)
      lost = try wanted(lost, selection)
    }
    return try describe(missing)
      + describe(lost, onlyExisting: true).map {
        UnsupportedObject(
          what: "comment or security label on \($0.what)", name: $0.name, schema: $0.schema)
      }
  }

  /// Those of the objects that lie in what was selected, or belong to a relation that does.
  private func wanted(
    _ identities: [ObjectIdentity], _ selection: SchemaSelection
  ) throws -> [ObjectIdentity] {
    var wanted: [ObjectIdentity] = []
    for start in stride(from: 0, to: identities.count, by: 1000) {
      let some = identities[start..<min(start + 1000, identities.count)]
      let values = some.enumerated().map {
        "(\($0), \($1.catalog.rawValue)::oid, \($1.oid)::oid, \(max($1.column, 0))::int)" as SQLText
      }
      // Rules, triggers, constraints and the like depend automatically on their relation.
      let places = try session.rows(
        """
        SELECT v.i, p.relation, COALESCE(p.nspname, i.schema)
        FROM (VALUES \(values.joined(separator: ", "))) v (i, c, o, s)
        LEFT JOIN LATERAL pg_catalog.pg_identify_object(v.c, v.o, v.s) i ON true
        LEFT JOIN LATERAL (
          SELECT c.oid AS relation, n.nspname FROM pg_catalog.pg_class c
          JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
          WHERE c.oid = CASE v.c WHEN \(Catalog.relation.rawValue) THEN v.o ELSE (
            SELECT d.refobjid FROM pg_catalog.pg_depend d
            WHERE d.classid = v.c AND d.objid = v.o
              AND d.refclassid = \(Catalog.relation.rawValue) AND d.deptype IN ('a', 'i', 'P')
            ORDER BY d.deptype LIMIT 1) END
        ) p ON true
        """
      ) { (index: $0.int(), relation: $0.optionalInt(), schema: $0.optional()) }
      for place in places
      where selection.takes(
        relation: place.relation.flatMap { UInt32(exactly: $0) }, in: place.schema)
      {
        wanted.append(some[some.startIndex + place.index])
      }
    }
    return wanted
  }

  /// The server's own words for objects.
  private func describe(
    _ identities: [ObjectIdentity], onlyExisting: Bool = false
  ) throws -> [UnsupportedObject] {
    // A message with thousands of names helps nobody.
    let shown = identities.sorted().prefix(200)
    guard !shown.isEmpty else { return [] }
    let values = shown.map {
      "(\($0.catalog.rawValue)::oid, \($0.oid)::oid, \(max($0.column, 0))::int)" as SQLText
    }
    return try session.rows(
      """
      SELECT i.type, COALESCE(i.identity, v.o::text), i.schema
      FROM (VALUES \(values.joined(separator: ", "))) v (c, o, s)
      LEFT JOIN LATERAL pg_catalog.pg_identify_object(v.c, v.o, v.s) i ON true
      \(onlyExisting ? "WHERE i.identity IS NOT NULL" : "" as SQLText)
      """
    ) { row in
      UnsupportedObject(what: row.text().string, name: row.text(), schema: row.optional())
    }
  }

  /// Every row of every catalog that is the user's: in no schema of the server's, in no extension,
  /// and not made by the server together with another row that is in this list.
  /// As queries for catalog and OID, with the step that makes it where that is not the object's own.
  private static func queries(_ session: CatalogSession) -> [(query: SQLText, step: Int32)] {
    let firstOID = CatalogSession.firstUserOID
    // The few schemas that do not count are looked up once, whatever the number of objects.
    let systemSchemas: SQLText = """
      SELECT oid FROM pg_catalog.pg_namespace
      WHERE nspname ~ '^pg_' OR nspname = 'information_schema'
      """
    func inSchema(
      _ catalog: Catalog, _ table: SQLText, _ schema: SQLText, _ condition: SQLText = "true"
    ) -> SQLText {
      """
      SELECT \(catalog.rawValue)::oid, o.oid FROM pg_catalog.\(table) o
      WHERE o.\(schema) NOT IN (\(systemSchemas))
        AND \(condition) AND \(session.isFree(catalog, "o.oid"))
      """
    }
    func onTable(
      _ catalog: Catalog, _ table: SQLText, _ relation: SQLText, _ condition: SQLText = "true"
    ) -> SQLText {
      """
      SELECT \(catalog.rawValue)::oid, o.oid FROM pg_catalog.\(table) o
      JOIN pg_catalog.pg_class c ON c.oid = o.\(relation)
        AND c.relnamespace NOT IN (\(systemSchemas))
      WHERE \(condition) AND \(session.isFree(catalog, "o.oid"))
        AND \(session.isFree(.relation, "c.oid"))
      """
    }
    func global(_ catalog: Catalog, _ table: SQLText, _ condition: SQLText = "true") -> SQLText {
      """
      SELECT \(catalog.rawValue)::oid, o.oid FROM pg_catalog.\(table) o
      WHERE o.oid >= \(firstOID) AND \(condition) AND \(session.isFree(catalog, "o.oid"))
      """
    }
    var selects = [
      global(.schema, "pg_namespace", "o.nspname !~ '^pg_'"),
      // An index that a failed CREATE INDEX CONCURRENTLY left behind is no use to anybody.
      inSchema(
        .relation, "pg_class", "relnamespace",
        """
        (o.relkind NOT IN ('i', 'I') OR EXISTS (SELECT FROM pg_catalog.pg_index i
          JOIN pg_catalog.pg_class t ON t.oid = i.indrelid
          WHERE i.indexrelid = o.oid AND i.indisready AND (i.indisvalid OR t.relkind = 'p')
            AND \(session.isFree(.relation, "t.oid"))))
        """),
      inSchema(.procedure, "pg_proc", "pronamespace"),
      inSchema(.type, "pg_type", "typnamespace"),
      inSchema(.operator, "pg_operator", "oprnamespace", "o.oprcode::pg_catalog.oid <> 0"),
      inSchema(.operatorClass, "pg_opclass", "opcnamespace"),
      inSchema(.operatorFamily, "pg_opfamily", "opfnamespace"),
      inSchema(.collation, "pg_collation", "collnamespace"),
      inSchema(.conversion, "pg_conversion", "connamespace"),
      inSchema(.textSearchParser, "pg_ts_parser", "prsnamespace"),
      inSchema(.textSearchTemplate, "pg_ts_template", "tmplnamespace"),
      inSchema(.textSearchDictionary, "pg_ts_dict", "dictnamespace"),
      inSchema(.textSearchConfiguration, "pg_ts_config", "cfgnamespace"),
      inSchema(.extendedStatistics, "pg_statistic_ext", "stxnamespace"),
      // Constraints that come from a parent come back with it.
      onTable(
        .constraint, "pg_constraint", "conrelid",
        "(o.contype NOT IN ('c', 'n') OR o.conislocal)"),
      onTable(
        .trigger, "pg_trigger", "tgrelid", "NOT o.tgisinternal AND o.tgparentid = 0"),
      onTable(.rule, "pg_rewrite", "ev_class"),
      onTable(.policy, "pg_policy", "polrelid"),
      onTable(
        .columnDefault, "pg_attrdef", "adrelid",
        """
        NOT EXISTS (SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid = o.adrelid
          AND a.attnum = o.adnum AND a.attgenerated <> '' AND a.attinhcount > 0)
        """),
      global(.language, "pg_language"),
      global(.cast, "pg_cast"),
      global(.transform, "pg_transform"),
      global(.accessMethod, "pg_am"),
      global(.accessMethodOperator, "pg_amop"),
      global(.accessMethodProcedure, "pg_amproc"),
      global(.foreignDataWrapper, "pg_foreign_data_wrapper"),
      global(.foreignServer, "pg_foreign_server"),
      global(.publication, "pg_publication"),
      global(.publicationTable, "pg_publication_rel"),
      global(.eventTrigger, "pg_event_trigger"),
      global(.defaultPrivileges, "pg_default_acl"),
      global(.extension, "pg_extension"),
      global(
        .subscription, "pg_subscription",
        """
        o.subdbid = (SELECT d.oid FROM pg_catalog.pg_database d
          WHERE d.datname = pg_catalog.current_database())
        """),
      "SELECT \(Catalog.userMapping.rawValue)::oid, u.umid FROM pg_catalog.pg_user_mappings u",
    ]
    if session.version >= 15 {
      selects.append(global(.publicationSchema, "pg_publication_namespace"))
    }
    // A domain's constraints belong to no table.
    selects.append(
      """
      SELECT \(Catalog.constraint.rawValue)::oid, o.oid FROM pg_catalog.pg_constraint o
      JOIN pg_catalog.pg_type t ON t.oid = o.contypid
      JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace AND \(session.isUserSchema())
      WHERE \(session.isFree(.type, "t.oid"))
      """)
    let relation = Catalog.relation.rawValue
    let table: SQLText = """
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace AND \(session.isUserSchema())
        AND \(session.isFree(.relation, "c.oid"))
      """
    return selects.map { ($0, 0) } + [
      (
        """
        SELECT \(relation)::oid, c.oid FROM pg_catalog.pg_inherits h
        JOIN pg_catalog.pg_class c ON c.oid = h.inhrelid AND c.relispartition \(table)
        """, SchemaObject.attachment
      ),
      (
        """
        SELECT \(relation)::oid, c.oid FROM pg_catalog.pg_class c \(table)
        WHERE c.relrowsecurity OR c.relforcerowsecurity
        """, SchemaObject.rowSecurity
      ),
      (
        """
        SELECT \(relation)::oid, c.oid FROM pg_catalog.pg_class c \(table)
        WHERE c.relkind = 'm' AND c.relispopulated
        """, SchemaObject.refresh
      ),
    ]
  }
}

/// What a set of objects expresses.
private struct Expressed {
  private var identities: Set<ObjectIdentity> = []
  private var commented: Set<ObjectIdentity> = []
  private let aliases: [ObjectIdentity: ObjectIdentity]

  init(_ contents: KindContents) {
    aliases = contents.aliases
    identities.reserveCapacity(contents.inventory.count)
    let hasComments = !contents.comments.isEmpty
    for object in contents.objects {
      identities.insert(object.identity)
      for part in object.parts { identities.insert(part.identity) }
      guard hasComments else { continue }
      let named = object.commentIdentity ?? object.identity
      if object.commentTarget != nil { commented.insert(named) }
      let relation = object.columnCommentIdentity ?? named
      for column in object.columnNames.keys {
        commented.insert(ObjectIdentity(relation.catalog, relation.oid, column: column))
      }
      for part in object.parts where part.commentTarget != nil { commented.insert(part.identity) }
    }
  }

  func has(_ identity: ObjectIdentity) -> Bool {
    var identity = identity
    for _ in 0..<8 {
      if identities.contains(identity) { return true }
      // What an extension brought is expressed by the extension, and that by the server where it
      // was there from the start.
      guard let next = aliases[identity] else { return identity.catalog == .extension }
      identity = next
    }
    return false
  }

  /// Comments on what an extension brought come with it.
  func canCarryComment(_ identity: ObjectIdentity) -> Bool {
    commented.contains(identity) || aliases[identity.whole]?.catalog == .extension
      || identity.catalog == .largeObject
  }
}
