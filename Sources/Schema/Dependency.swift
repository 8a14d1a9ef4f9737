import Postgres

/// One object needs another: an edge of `pg_depend`.
struct Dependency: Sendable {
  var dependent: ObjectIdentity
  var needed: ObjectIdentity

  /// All edges but those of what came with the server. Memberships of extensions are not needs.
  static func read(_ session: CatalogSession) throws -> [Dependency] {
    try session.rows(
      """
      SELECT DISTINCT classid, objid, refclassid, refobjid FROM pg_catalog.pg_depend
      WHERE deptype NOT IN ('e', 'x') AND refobjid <> 0 AND objid <> refobjid
        AND (objid >= \(CatalogSession.firstUserOID) OR refobjid >= \(CatalogSession.firstUserOID))
      """
    ) { row in
      Dependency(
        dependent: ObjectIdentity(Catalog(rawValue: row.oid()), row.oid()),
        needed: ObjectIdentity(Catalog(rawValue: row.oid()), row.oid()))
    }
  }
}
