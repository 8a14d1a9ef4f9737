import Postgres

/// Primary keys, unique and exclusion constraints with their indexes, and foreign keys.
///
/// `pg_get_constraintdef()` is asked only about those that are more than a list of columns.
enum Constraints {
  static func read(
    _ session: CatalogSession, _ slice: RelationSlice
  ) throws -> KindContents {
    var contents = KindContents()
    let isUnusual = session.since(
      18, "NOT c.convalidated OR c.conperiod", else: "NOT c.convalidated")
    try session.forEach(
      """
      SELECT c.oid, c.conname, c.contype, n.nspname, t.relname,
        pg_catalog.pg_get_userbyid(t.relowner), c.conrelid, c.confrelid, t.relkind,
        CASE WHEN c.contype NOT IN ('p', 'u') OR \(isUnusual)
          THEN pg_catalog.pg_get_constraintdef(c.oid) END,
        c.condeferrable, c.condeferred,
        c.conindid, i.relname, i.reloptions, ts.spcname
      FROM pg_catalog.pg_constraint c
      JOIN pg_catalog.pg_class t ON t.oid = c.conrelid
      JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace AND \(session.isUserSchema())
      LEFT JOIN pg_catalog.pg_class i ON i.oid = c.conindid
      LEFT JOIN pg_catalog.pg_tablespace ts ON ts.oid = i.reltablespace
      WHERE \(slice.holds("c.conrelid"))
        AND (c.contype IN ('p', 'u', 'x') OR (c.contype = 'f' AND c.conparentid = 0))
        AND \(session.isFree(.relation, "t.oid")) AND \(session.isFree(.constraint, "c.oid"))
      """
    ) { row in
      let constraint = Row(&row)
      contents.constraints.append(constraint)
      if constraint.index != 0 {
        contents.aliases[ObjectIdentity(.relation, constraint.index)] = constraint.identity
      }
    }
    return contents
  }

  /// Makes objects of what was read, which belongs together only now.
  static func objects(_ contents: KindContents) -> [SchemaObject] {
    var indexes: [UInt32: IndexFacts.Row] = [:]
    let withoutWords = Set(contents.constraints.filter { $0.definition == nil }.map(\.index))
    for index in contents.indexes.rows where withoutWords.contains(index.oid) {
      indexes[index.oid] = index
    }
    let columns = contents.relations.columns
    return contents.constraints.compactMap { row in
      if let definition = row.definition { return row.object(definition) }
      // What is left out is missed by the inventory, and named.
      return indexes[row.index].flatMap { definition(row, $0, columns[row.tableOID] ?? []) }
        .map { row.object($0) }
    }
  }

  /// `PRIMARY KEY` and `UNIQUE` in the words of `pg_get_constraintdef()`; nil when a column is not
  /// known.
  private static func definition(
    _ row: Row, _ index: IndexFacts.Row, _ columns: [TableColumn]
  ) -> SQLText? {
    var sql: SQLText = row.kind == "p" ? "PRIMARY KEY " : "UNIQUE "
    if row.kind == "u", index.isNullsNotDistinct { sql += "NULLS NOT DISTINCT " }
    for (position, number) in index.columns.enumerated() {
      guard let column = columns.column(number) else { return nil }
      sql += position == 0 ? "(" : position == index.keyCount ? ") INCLUDE (" : ", "
      sql += column.name.quotedIdentifier
    }
    sql += ")"
    if row.isDeferrable { sql += " DEFERRABLE" }
    if row.isDeferred { sql += " INITIALLY DEFERRED" }
    return sql
  }

  /// A foreign key on a partitioned table brings those of its partitions.
  static func inherited(_ session: CatalogSession) throws -> KindContents {
    var contents = KindContents()
    try session.forEach(
      """
      SELECT c.oid, c.conparentid FROM pg_catalog.pg_constraint c
      WHERE c.contype = 'f' AND c.conparentid <> 0
      """
    ) { row in
      contents.aliases[ObjectIdentity(.constraint, row.oid())] = ObjectIdentity(
        .constraint, row.oid())
    }
    return contents
  }

  struct Row: Sendable {
    var identity: ObjectIdentity
    var name: SQLText
    var kind: Character
    var schema: SQLText
    var table: SQLText
    var owner: SQLText
    var tableOID: UInt32
    var referenced: UInt32
    var isPartitioned: Bool
    /// The server's words; nil for what is put together from the index.
    var definition: SQLText?
    var isDeferrable: Bool
    var isDeferred: Bool
    /// 0 for a foreign key, whose index is another constraint's.
    var index: UInt32
    var indexName: SQLText
    var indexOptions: [SQLText]
    var tablespace: SQLText?

    init(_ row: inout CatalogRow) {
      identity = ObjectIdentity(.constraint, row.oid())
      name = row.text()
      kind = row.letter()
      schema = row.text()
      table = row.text()
      owner = row.text()
      tableOID = row.oid()
      referenced = row.oid()
      isPartitioned = row.letter() == "p"
      definition = row.optional()
      isDeferrable = row.flag()
      isDeferred = row.flag()
      index = row.oid()
      indexName = row.text()
      indexOptions = row.array()
      tablespace = row.optional()
      if kind == "f" { index = 0 }
    }

    func object(_ definition: SQLText) -> SchemaObject {
      let isForeignKey = kind == "f"
      let qualifiedTable = SQLText.qualified(schema, table)
      let constraint = name.quotedIdentifier
      let only: SQLText = isForeignKey && isPartitioned ? "" : "ONLY "
      var sql: SQLText = """
        ALTER TABLE \(only)\(qualifiedTable)
            ADD CONSTRAINT \(constraint) \(withOptions(definition));

        """
      if !isForeignKey {
        if kind == "x", !indexOptions.isEmpty {
          sql += """
            ALTER INDEX \(SQLText.qualified(schema, indexName)) \
            SET (\(OptionList.storage(indexOptions)));

            """
        }
        sql = Indexes.inTablespace(tablespace, sql)
      }
      var object = SchemaObject(
        identity, isForeignKey ? .foreignKey : .constraint, schema: schema,
        name: "\(table) \(name)", owner: owner, section: .postData, definition: sql)
      object.commentTarget = "CONSTRAINT \(constraint) ON \(qualifiedTable)"
      object.tables = [tableOID]
      object.locks = [SchemaItem.Lock(table: tableOID, isShared: false)]
      if isForeignKey, referenced != tableOID {
        object.locks.append(SchemaItem.Lock(table: referenced, isShared: false))
        object.tables.append(referenced)
      }
      return object
    }

    /// The index's storage options stand before what says when the constraint is checked.
    private func withOptions(_ definition: SQLText) -> SQLText {
      guard kind == "p" || kind == "u", !indexOptions.isEmpty else { return definition }
      var head = definition
      var tail = SQLText()
      for suffix in [" DEFERRABLE INITIALLY DEFERRED", " DEFERRABLE"] as [SQLText]
      where tail.isEmpty && head.hasSuffix(suffix) {
        head.bytes.removeLast(suffix.bytes.count)
        tail = suffix
      }
      return "\(head) WITH (\(OptionList.storage(indexOptions)))\(tail)"
    }
  }
}
