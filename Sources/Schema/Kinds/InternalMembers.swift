import Postgres

/// What the server makes together with something else and takes away with it: the constructor
/// functions and the casts of ranges.
enum InternalMembers {
  static func read(_ session: CatalogSession) throws -> KindContents {
    var contents = KindContents()
    try session.forEach(
      """
      SELECT d.classid, d.objid, d.refclassid, d.refobjid FROM pg_catalog.pg_depend d
      WHERE d.deptype = 'i' AND d.objsubid = 0
        AND d.classid IN (\(Catalog.procedure.rawValue), \(Catalog.cast.rawValue))
      """
    ) { row in
      let member = ObjectIdentity(Catalog(rawValue: row.oid()), row.oid())
      contents.aliases[member] = ObjectIdentity(Catalog(rawValue: row.oid()), row.oid())
    }
    return contents
  }
}
