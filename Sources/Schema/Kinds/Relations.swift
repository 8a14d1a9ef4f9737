import Postgres

/// Tables, foreign tables, views and materialized views: what `pg_class` and `pg_attribute` tell.
enum Relations {
  /// All that tables need to know of each other.
  struct Context {
    var columns: [UInt32: [TableColumn]]
    var relations: [UInt32: RelationRow]
    /// Parents by child, in the order of their declaration.
    var parents: [UInt32: [UInt32]]
    var checks: [UInt32: [CheckRow]]
    /// Tables that a table's foreign keys point to.
    var references: [UInt32: [UInt32]]
  }

  struct CheckRow {
    var identity: ObjectIdentity
    var name: SQLText
    var isLocal: Bool
    var isValid: Bool
    var definition: SQLText
  }

  static func read(_ session: CatalogSession) throws -> KindContents {
    let rows = try RelationRow.read(session)
    let context = try Context(
      columns: TableColumn.read(session),
      relations: Dictionary(rows.map { ($0.oid, $0) }, uniquingKeysWith: { first, _ in first }),
      parents: readParents(session), checks: readChecks(session),
      references: readReferences(session))
    var contents = KindContents()
    for row in rows {
      if row.kind == "r", !row.isInExtension || row.extensionCondition != nil {
        contents.tables.append(Tables.data(row, context))
      }
      guard !row.isInExtension else { continue }
      switch row.kind {
      case "v": contents.objects += Views.objects(row, context)
      case "m": contents.objects += MaterializedViews.objects(row, context)
      default: contents.objects += Tables.objects(row, context)
      }
    }
    try session.forEach(
      """
      SELECT r.oid, r.ev_class FROM pg_catalog.pg_rewrite r
      WHERE r.rulename = '_RETURN' AND r.oid >= \(CatalogSession.firstUserOID)
      """
    ) { row in
      let rule = ObjectIdentity(.rule, row.oid())
      let relation = row.oid()
      let isView = context.relations[relation]?.kind == "v"
      contents.aliases[rule] = ObjectIdentity(
        .relation, relation, column: isView ? SchemaObject.query : 0)
    }
    return contents
  }

  private static func readParents(_ session: CatalogSession) throws -> [UInt32: [UInt32]] {
    var parents: [UInt32: [UInt32]] = [:]
    try session.forEach(
      """
      SELECT i.inhrelid, i.inhparent FROM pg_catalog.pg_inherits i
      JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid AND c.relkind IN ('r', 'p', 'f')
      ORDER BY i.inhrelid, i.inhseqno
      """
    ) { row in
      parents[row.oid(), default: []].append(row.oid())
    }
    return parents
  }

  private static func readChecks(_ session: CatalogSession) throws -> [UInt32: [CheckRow]] {
    var checks: [UInt32: [CheckRow]] = [:]
    try session.forEach(
      """
      SELECT c.conrelid, c.oid, c.conname, c.conislocal, c.convalidated,
        pg_catalog.pg_get_constraintdef(c.oid)
      FROM pg_catalog.pg_constraint c
      WHERE c.contype = 'c' AND c.conrelid >= \(CatalogSession.firstUserOID)
      ORDER BY c.conrelid, c.conname COLLATE "C"
      """
    ) { row in
      checks[row.oid(), default: []].append(
        CheckRow(
          identity: ObjectIdentity(.constraint, row.oid()), name: row.text(), isLocal: row.flag(),
          isValid: row.flag(), definition: row.text()))
    }
    return checks
  }

  private static func readReferences(_ session: CatalogSession) throws -> [UInt32: [UInt32]] {
    var references: [UInt32: [UInt32]] = [:]
    try session.forEach(
      """
      SELECT DISTINCT c.conrelid, c.confrelid FROM pg_catalog.pg_constraint c
      WHERE c.contype = 'f' ORDER BY 1, 2
      """
    ) { row in
      references[row.oid(), default: []].append(row.oid())
    }
    return references
  }
}
