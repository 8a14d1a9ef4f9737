import Postgres

/// `CREATE SEQUENCE`, and the sequences behind identity columns.
enum Sequences {
  static func read(_ session: CatalogSession) throws -> KindContents {
    var contents = KindContents()
    try session.forEach(
      """
      SELECT c.oid, n.nspname, c.relname, pg_catalog.pg_get_userbyid(c.relowner), c.relacl,
        pg_catalog.acldefault('s', c.relowner), c.relpersistence,
        pg_catalog.format_type(s.seqtypid, NULL), s.seqstart, s.seqincrement, s.seqmin, s.seqmax,
        s.seqcache, s.seqcycle,
        d.deptype, d.refobjid, tn.nspname, t.relname, a.attname, a.attidentity,
        t.relpersistence = 'u'
      FROM pg_catalog.pg_sequence s
      JOIN pg_catalog.pg_class c ON c.oid = s.seqrelid
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace AND \(session.isUserSchema())
      LEFT JOIN pg_catalog.pg_depend d ON d.classid = \(Catalog.relation.rawValue)
        AND d.objid = c.oid AND d.objsubid = 0 AND d.refclassid = \(Catalog.relation.rawValue)
        AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')
      LEFT JOIN pg_catalog.pg_class t ON t.oid = d.refobjid
      LEFT JOIN pg_catalog.pg_namespace tn ON tn.oid = t.relnamespace
      LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid
      WHERE c.relpersistence <> 't' AND \(session.isFree(.relation, "c.oid"))
      """
    ) { row in
      let sequence = Row(&row)
      contents.objects += sequence.objects
      contents.sequences.append(
        SequenceData(
          oid: sequence.oid, schema: sequence.schema, name: sequence.name,
          isUnlogged: sequence.isUnlogged, lastValue: nil, isCalled: false))
    }
    contents.sequences += try ofExtensions(session)
    return contents
  }

  /// Sequences whose values an extension wants to be kept.
  private static func ofExtensions(_ session: CatalogSession) throws -> [SequenceData] {
    try session.rows(
      """
      SELECT c.oid, n.nspname, c.relname, c.relpersistence = 'u'
      FROM pg_catalog.pg_extension e CROSS JOIN LATERAL pg_catalog.unnest(e.extconfig) u (oid)
      JOIN pg_catalog.pg_class c ON c.oid = u.oid AND c.relkind = 'S'
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      """
    ) { row in
      SequenceData(
        oid: row.oid(), schema: row.text(), name: row.text(), isUnlogged: row.flag(),
        lastValue: nil, isCalled: false)
    }
  }

  private struct Row {
    var oid: UInt32
    var schema: SQLText
    var name: SQLText
    var owner: SQLText
    var granted: SQLText?
    var initial: SQLText?
    var isUnlogged: Bool
    var type: SQLText
    /// `START WITH` and what follows.
    var settings: SQLText
    var ownership: (kind: Character, table: UInt32, tableName: SQLText, column: SQLText)?
    var identity: Character = " "
    var isTableUnlogged = false

    init(_ row: inout CatalogRow) {
      oid = row.oid()
      schema = row.text()
      name = row.text()
      owner = row.text()
      granted = row.optional()
      initial = row.optional()
      isUnlogged = row.letter() == "u"
      type = row.text()
      let (start, increment, minimum, maximum) = (row.text(), row.int(), row.text(), row.text())
      let cache = row.text()
      settings = "    START WITH \(start)\n    INCREMENT BY \(increment)\n"
      let limits = Self.limits(type.string, isAscending: increment > 0)
      settings += minimum == limits.minimum ? "    NO MINVALUE\n" : "    MINVALUE \(minimum)\n"
      settings += maximum == limits.maximum ? "    NO MAXVALUE\n" : "    MAXVALUE \(maximum)\n"
      settings += "    CACHE \(cache)"
      if row.flag() { settings += "\n    CYCLE" }
      let dependency = row.letter()
      let table = row.oid()
      let (tableSchema, tableName, column) = (row.text(), row.text(), row.text())
      guard table != 0 else { return }
      ownership = (dependency, table, .qualified(tableSchema, tableName), column)
      identity = row.letter()
      isTableUnlogged = row.flag()
    }

    /// The limits that a sequence has when it is made without any.
    private static func limits(_ type: String, isAscending: Bool) -> (
      minimum: SQLText, maximum: SQLText
    ) {
      let (low, high) =
        switch type {
        case "smallint": ("-32768", "32767")
        case "integer": ("-2147483648", "2147483647")
        default: ("-9223372036854775808", "9223372036854775807")
        }
      return isAscending ? ("1", SQLText(high)) : (SQLText(low), "-1")
    }

    var qualifiedName: SQLText { .qualified(schema, name) }

    var objects: [SchemaObject] {
      if let ownership, ownership.kind == "i" {
        return [identityObject(ownership.tableName, ownership.table, ownership.column)]
      }
      var sequence = object(
        """
        CREATE \(isUnlogged ? "UNLOGGED " : "")SEQUENCE \(qualifiedName)
        \(type == "bigint" ? "" : "    AS \(type)\n" as SQLText)\(settings);

        """)
      sequence.ownerTarget = "SEQUENCE \(qualifiedName)"
      guard let ownership else { return [sequence] }
      var owned = SchemaObject(
        ObjectIdentity(.relation, oid, column: SchemaObject.sequenceOwner), .sequenceOwner,
        schema: schema, name: name,
        definition: """
          ALTER SEQUENCE \(qualifiedName) OWNED BY \
          \(ownership.tableName).\(ownership.column.quotedIdentifier);

          """ as SQLText)
      owned.needs = [
        ObjectIdentity(.relation, oid), ObjectIdentity(.relation, ownership.table),
      ]
      owned.tables = [ownership.table]
      sequence.ownedBy = ObjectIdentity(.relation, ownership.table)
      return [sequence, owned]
    }

    private func identityObject(
      _ table: SQLText, _ tableOID: UInt32, _ column: SQLText
    ) -> SchemaObject {
      var sql: SQLText = """
        ALTER TABLE \(table) ALTER COLUMN \(column.quotedIdentifier) ADD GENERATED \
        \(identity == "a" ? "ALWAYS" : "BY DEFAULT") AS IDENTITY (
            SEQUENCE NAME \(qualifiedName)
        \(settings)
        );

        """
      if isUnlogged != isTableUnlogged {
        sql += "ALTER SEQUENCE \(qualifiedName) SET \(isUnlogged ? "UNLOGGED" : "LOGGED");\n"
      }
      var object = object(sql)
      object.tables = [tableOID]
      return object
    }

    private func object(_ sql: SQLText) -> SchemaObject {
      var object = SchemaObject(
        ObjectIdentity(.relation, oid), .sequence, schema: schema, name: name, owner: owner,
        definition: sql)
      object.commentTarget = "SEQUENCE \(qualifiedName)"
      object.privileges = Privileges(
        target: "SEQUENCE \(qualifiedName)", kind: .sequence, owner: owner, granted: granted,
        initial: initial)
      return object
    }
  }
}
