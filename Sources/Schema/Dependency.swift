import Postgres

/// One object needs another: an edge of `pg_depend`.
struct Dependency: Sendable {
  var dependent: ObjectIdentity
  var needed: ObjectIdentity

  /// All edges but those of what came with the server. Memberships of extensions are not needs, and
  /// what the readers tell anyhow (a column's default belongs to its table) is left out, since there
  /// is so much of it.
  static func read(_ session: CatalogSession) throws -> KindContents {
    let edges = try session.rows(
      """
      SELECT classid, objid, refclassid, refobjid FROM pg_catalog.pg_depend
      WHERE deptype NOT IN ('e', 'x') AND refobjid <> 0 AND objid <> refobjid
        AND NOT (deptype = 'a' AND refclassid = \(Catalog.relation.rawValue)
          AND classid IN (\(Catalog.columnDefault.rawValue), \(Catalog.constraint.rawValue)))
        AND NOT (deptype = 'i' AND classid = \(Catalog.type.rawValue))
        AND (objid >= \(CatalogSession.firstUserOID) OR refobjid >= \(CatalogSession.firstUserOID))
      """
    ) { row in
      Dependency(
        dependent: ObjectIdentity(Catalog(rawValue: row.oid()), row.oid()),
        needed: ObjectIdentity(Catalog(rawValue: row.oid()), row.oid()))
    }
    return KindContents(dependencies: edges)
  }
}
