import Postgres

/// `CREATE INDEX`, what is set on indexes (also those of constraints), and `ATTACH PARTITION`.
enum Indexes {
  /// - Parameters:
  ///   - slice: which part of the indexes, from 0 on.
  ///   - count: how many parts there are.
  static func read(
    _ session: CatalogSession, _ slice: Int, _ count: Int
  ) throws -> KindContents {
    var contents = KindContents()
    let columns = try IndexColumns.read(session, slice, count)
    try session.forEach(
      """
      SELECT x.oid, n.nspname, x.relname, i.indrelid, t.relname,
        pg_catalog.pg_get_userbyid(t.relowner),
        c.oid IS NULL AND options.attrelid IS NULL AND i.indexprs IS NULL AND i.indpred IS NULL,
        CASE WHEN c.oid IS NULL AND (options.attrelid IS NOT NULL OR i.indexprs IS NOT NULL
            OR i.indpred IS NOT NULL)
          THEN pg_catalog.pg_get_indexdef(x.oid) END,
        am.amname, i.indisunique, t.relkind = 'p', x.reloptions,
        \(session.since(15, "i.indnullsnotdistinct", else: "false")), ts.spcname,
        i.indisclustered, i.indisreplident, c.oid, t.relkind = 'm', statistics.columns
      FROM pg_catalog.pg_index i
      JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
      JOIN pg_catalog.pg_class t ON t.oid = i.indrelid
      JOIN pg_catalog.pg_namespace n ON n.oid = x.relnamespace AND \(session.isUserSchema())
      LEFT JOIN pg_catalog.pg_constraint c ON c.conindid = x.oid AND c.contype IN ('p', 'u', 'x')
      JOIN pg_catalog.pg_am am ON am.oid = x.relam
      LEFT JOIN pg_catalog.pg_tablespace ts ON ts.oid = x.reltablespace
      LEFT JOIN (\(IndexColumns.withClassOptions)) options ON options.attrelid = x.oid
      LEFT JOIN (
        SELECT a.attrelid,
          pg_catalog.string_agg(a.attnum || ' ' || a.attstattarget, ',' ORDER BY a.attnum)
        FROM pg_catalog.pg_attribute a
        WHERE a.attstattarget >= 0 AND a.attrelid IN (
          SELECT e.indexrelid FROM pg_catalog.pg_index e WHERE e.indexprs IS NOT NULL)
        GROUP BY a.attrelid
      ) AS statistics (indexrelid, columns) ON statistics.indexrelid = x.oid
      WHERE i.indexrelid::pg_catalog.int8 % \(count) = \(slice)
        AND (i.indisvalid OR t.relkind = 'p') AND i.indisready AND x.relpersistence <> 't'
        AND \(session.isFree(.relation, "t.oid")) AND \(session.isFree(.relation, "x.oid"))
      """
    ) { row in
      let index = Row(&row, columns)
      if let object = index.object { contents.objects.append(object) }
    }
    return contents
  }

  private struct Row {
    var oid: UInt32
    var schema: SQLText
    var name: SQLText
    var tableOID: UInt32
    var table: SQLText
    var owner: SQLText
    var definition: SQLText?
    var tablespace: SQLText?
    var isClustered: Bool
    var isReplicaIdentity: Bool
    var constraint: UInt32
    var isOnMaterializedView: Bool
    /// Column and target, for expressions.
    var statistics: [(column: Int, target: Int)]

    init(_ row: inout CatalogRow, _ columns: [UInt32: IndexColumns.Lists]) {
      oid = row.oid()
      schema = row.text()
      name = row.text()
      tableOID = row.oid()
      table = row.text()
      owner = row.text()
      let isPlain = row.flag()
      let definition = row.optional()
      let method = row.text()
      let unique: SQLText = row.flag() ? "UNIQUE " : ""
      let only: SQLText = row.flag() ? "ONLY " : ""
      let options = row.array()
      let isNullsNotDistinct = row.flag()
      if isPlain, let lists = columns[oid] {
        var sql: SQLText = """
          CREATE \(unique)INDEX \(name.quotedIdentifier) ON \(only)\(SQLText.qualified(schema, table)) \
          USING \(method.quotedIdentifier) (\(lists.keys.joined(separator: ", ")))
          """
        if !lists.included.isEmpty {
          sql += " INCLUDE (\(lists.included.joined(separator: ", ")))"
        }
        if isNullsNotDistinct { sql += " NULLS NOT DISTINCT" }
        if !options.isEmpty { sql += " WITH (\(OptionList.storage(options)))" }
        self.definition = sql
      } else {
        self.definition = definition
      }
      tablespace = row.optional()
      isClustered = row.flag()
      isReplicaIdentity = row.flag()
      constraint = row.oid()
      isOnMaterializedView = row.flag()
      statistics = row.text().string.split(separator: ",").compactMap { pair in
        let numbers = pair.split(separator: " ").compactMap { Int($0) }
        return numbers.count == 2 ? (numbers[0], numbers[1]) : nil
      }
    }

    /// nil for a constraint's index of which there is nothing to say.
    var object: SchemaObject? {
      let qualifiedName = SQLText.qualified(schema, name)
      let qualifiedTable = SQLText.qualified(schema, table)
      var settings = SQLText()
      for (column, target) in statistics {
        settings +=
          "ALTER INDEX \(qualifiedName) ALTER COLUMN \(column) SET STATISTICS \(target);\n"
      }
      if isClustered {
        settings += "ALTER TABLE \(qualifiedTable) CLUSTER ON \(name.quotedIdentifier);\n"
      }
      if isReplicaIdentity {
        settings += """
          ALTER TABLE ONLY \(qualifiedTable) REPLICA IDENTITY USING INDEX \(name.quotedIdentifier);

          """
      }
      let identity = ObjectIdentity(.relation, oid)
      var object: SchemaObject
      if let definition {
        let sql = Indexes.inTablespace(tablespace, definition + ";\n") + settings
        object = SchemaObject(
          identity, .index, schema: schema, name: name, owner: owner, section: .postData,
          definition: sql)
        object.locks = [SchemaItem.Lock(table: tableOID, isShared: settings.isEmpty)]
      } else {
        // The index came with its constraint, which stands in the identity's place.
        object = SchemaObject(
          ObjectIdentity(.relation, oid, column: SchemaObject.constraintIndex), .index,
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
