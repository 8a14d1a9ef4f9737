import Postgres

/// `CREATE INDEX`, what is set on indexes (also those of constraints), and `ATTACH PARTITION`.
enum Indexes {
  /// Makes objects of what was read, which belongs together only now.
  static func objects(_ contents: KindContents) -> [SchemaObject] {
    let facts = contents.indexes
    var objects: [SchemaObject] = []
    objects.reserveCapacity(facts.rows.count)
    let tables = Dictionary(
      contents.relations.rows.map { ($0.oid, $0) }, uniquingKeysWith: { first, _ in first })
    let writer = IndexWriter(facts, columns: contents.relations.columns)
    // Indexes that came with a constraint, and the constraint.
    var constraints: [UInt32: UInt32] = [:]
    for row in contents.constraints where row.index != 0 {
      constraints[row.index] = row.identity.oid
    }
    for row in facts.rows {
      // Temporary tables, and those of extensions, are nobody's to make.
      guard let table = tables[row.table], !table.isInExtension,
        row.isValid || table.kind == "p"
      else { continue }
      let constraint = constraints[row.oid] ?? 0
      let index = Index(
        row: row, table: table, constraint: constraint,
        definition: constraint == 0 ? writer.definition(row, table) : nil,
        statistics: row.hasExpressions ? facts.statistics[row.oid] ?? [] : [])
      objects.append(index.object)
    }
    return objects
  }

  private struct Index {
    var row: IndexFacts.Row
    var table: RelationRow
    /// 0 for an index of its own.
    var constraint: UInt32
    var definition: SQLText?
    var statistics: [IndexFacts.Statistics]

    var object: SchemaObject {
      let (schema, name, owner, tableOID) = (table.schema, row.name, table.owner, table.oid)
      let qualifiedName = SQLText.qualified(schema, name)
      let qualifiedTable = table.qualifiedName
      var settings = SQLText()
      for column in statistics {
        settings += """
          ALTER INDEX \(qualifiedName) ALTER COLUMN \(column.number) \
          SET STATISTICS \(column.target);

          """
      }
      if row.isClustered {
        settings += "ALTER TABLE \(qualifiedTable) CLUSTER ON \(name.quotedIdentifier);\n"
      }
      if row.isReplicaIdentity {
        settings += """
          ALTER TABLE ONLY \(qualifiedTable) REPLICA IDENTITY USING INDEX \(name.quotedIdentifier);

          """
      }
      let identity = ObjectIdentity(.relation, row.oid)
      var object: SchemaObject
      if let definition {
        let sql = Indexes.inTablespace(row.tablespace, definition + ";\n") + settings
        object = SchemaObject(
          identity, .index, schema: schema, name: name, owner: owner, section: .postData,
          definition: sql)
        object.locks = [SchemaItem.Lock(table: tableOID, isShared: settings.isEmpty)]
      } else {
        // The index came with its constraint, which stands in the identity's place.
        object = SchemaObject(
          ObjectIdentity(.relation, row.oid, column: SchemaObject.constraintIndex), .index,
          schema: schema, name: name,
          owner: owner, section: .postData, definition: settings)
        object.needs = [ObjectIdentity(.constraint, constraint)]
        object.locks = [SchemaItem.Lock(table: tableOID, isShared: false)]
        object.commentIdentity = identity
      }
      object.commentTarget = "INDEX \(qualifiedName)"
      object.tables = [tableOID]
      return object
    }
  }

  /// Neither `pg_get_indexdef` nor `pg_get_constraintdef` tell the tablespace.
  static func inTablespace(_ tablespace: SQLText?, _ sql: SQLText) -> SQLText {
    guard let tablespace else { return sql }
    return """
      SET default_tablespace = \(tablespace.quotedIdentifier);
      \(sql)SET default_tablespace = '';

      """
  }

  static func attachments(_ session: CatalogSession) throws -> KindContents {
    var contents = KindContents()
    try session.forEach(
      """
      SELECT c.oid, cn.nspname, c.relname, pg_catalog.pg_get_userbyid(c.relowner), ci.indrelid,
        p.oid, pn.nspname, p.relname, pi.indrelid
      FROM pg_catalog.pg_inherits h
      JOIN pg_catalog.pg_class c ON c.oid = h.inhrelid AND c.relkind IN ('i', 'I')
      JOIN pg_catalog.pg_namespace cn ON cn.oid = c.relnamespace AND \(session.isUserSchema("cn"))
      JOIN pg_catalog.pg_index ci ON ci.indexrelid = c.oid
      JOIN pg_catalog.pg_class p ON p.oid = h.inhparent
      JOIN pg_catalog.pg_namespace pn ON pn.oid = p.relnamespace
      JOIN pg_catalog.pg_index pi ON pi.indexrelid = p.oid
      WHERE \(session.isFree(.relation, "c.oid"))
      """
    ) { row in
      let child = row.oid()
      let (schema, name, owner, table) = (row.text(), row.text(), row.text(), row.oid())
      let parent = row.oid()
      let parentName = SQLText.qualified(row.text(), row.text())
      let parentTable = row.oid()
      var object = SchemaObject(
        ObjectIdentity(.relation, child, column: SchemaObject.attachment), .indexAttachment,
        schema: schema,
        name: name, owner: owner, section: .postData,
        definition: """
          ALTER INDEX \(parentName) ATTACH PARTITION \(SQLText.qualified(schema, name));

          """ as SQLText)
      object.needs = [ObjectIdentity(.relation, child), ObjectIdentity(.relation, parent)]
      object.tables = [table, parentTable]
      object.locks = [
        SchemaItem.Lock(table: table, isShared: false),
        SchemaItem.Lock(table: parentTable, isShared: false),
      ]
      contents.objects.append(object)
    }
    return contents
  }
}
