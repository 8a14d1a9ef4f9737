import Postgres

/// What the queries about tables and views tell, before it is put together.
struct RelationFacts: Sendable {
  var rows: [RelationRow] = []
  /// Columns by table, in the order of their numbers.
  var columns: [UInt32: [TableColumn]] = [:]
  /// Parents by child, in the order of their declaration.
  var parents: [UInt32: [UInt32]] = [:]
  var checks: [UInt32: [Relations.CheckRow]] = [:]
  /// Tables that a table's foreign keys point to.
  var references: [UInt32: [UInt32]] = [:]
  /// The rules that are views' queries, with their views.
  var queries: [(rule: UInt32, relation: UInt32)] = []
  /// Views whose queries read the view itself.
  var selfReading: Set<UInt32> = []

  mutating func merge(_ other: RelationFacts) {
    rows += other.rows
    columns.merge(other.columns) { first, _ in first }
    parents.merge(other.parents) { first, _ in first }
    checks.merge(other.checks) { first, _ in first }
    references.merge(other.references) { first, _ in first }
    queries += other.queries
    selfReading.formUnion(other.selfReading)
  }

  static func relations(
    _ session: CatalogSession, _ slice: RelationSlice
  ) throws -> KindContents {
    KindContents(relations: RelationFacts(rows: try RelationRow.read(session, slice)))
  }

  static func columns(
    _ session: CatalogSession, _ slice: RelationSlice
  ) throws -> KindContents {
    KindContents(relations: RelationFacts(columns: try TableColumn.read(session, slice)))
  }

  /// What takes little time.
  static func read(_ session: CatalogSession) throws -> KindContents {
    var facts = RelationFacts(
      parents: try readParents(session), references: try readReferences(session))
    try session.forEach(
      """
      SELECT r.oid, r.ev_class,
        -- Columns only: every rule needs its relation as a whole.
        EXISTS (SELECT FROM pg_catalog.pg_depend d
          WHERE d.classid = \(Catalog.rule.rawValue) AND d.objid = r.oid
            AND d.refclassid = \(Catalog.relation.rawValue) AND d.refobjid = r.ev_class
            AND d.refobjsubid > 0)
      FROM pg_catalog.pg_rewrite r
      WHERE r.rulename = '_RETURN' AND r.oid >= \(CatalogSession.firstUserOID)
      """
    ) { row in
      let (rule, relation) = (row.oid(), row.oid())
      facts.queries.append((rule, relation))
      if row.flag() { facts.selfReading.insert(relation) }
    }
    return KindContents(relations: facts)
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

  static func checks(
    _ session: CatalogSession, _ slice: RelationSlice
  ) throws -> KindContents {
    var checks: [UInt32: [Relations.CheckRow]] = [:]
    try session.forEach(
      """
      SELECT c.conrelid, c.oid, c.conname, c.conislocal, c.convalidated,
        pg_catalog.pg_get_constraintdef(c.oid)
      FROM pg_catalog.pg_constraint c
      WHERE c.contype = 'c' AND c.conrelid >= \(CatalogSession.firstUserOID)
        AND \(slice.holds("c.conrelid"))
      ORDER BY c.conrelid, c.conname COLLATE "C"
      """
    ) { row in
      checks[row.oid(), default: []].append(
        Relations.CheckRow(
          identity: ObjectIdentity(.constraint, row.oid()), name: row.text(), isLocal: row.flag(),
          isValid: row.flag(), definition: row.text()))
    }
    return KindContents(relations: RelationFacts(checks: checks))
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
