import Postgres

/// Types that come with something else: arrays with their elements, row types with their tables,
/// multiranges with their ranges.
enum TypeAliases {
  static func read(_ session: CatalogSession) throws -> KindContents {
    var contents = KindContents()
    try session.forEach(
      """
      SELECT t.typarray, t.oid, t.typrelid, c.relkind
      FROM pg_catalog.pg_type t LEFT JOIN pg_catalog.pg_class c ON c.oid = t.typrelid
      WHERE t.oid >= \(CatalogSession.firstUserOID) AND (t.typarray <> 0 OR t.typrelid <> 0)
      """
    ) { row in
      let array = row.oid()
      let type = ObjectIdentity(.type, row.oid())
      let relation = ObjectIdentity(.relation, row.oid())
      if array != 0 { contents.aliases[ObjectIdentity(.type, array)] = type }
      guard relation.oid != 0 else { return }
      if row.letter() == "c" {
        contents.aliases[relation] = type
      } else {
        contents.aliases[type] = relation
      }
    }
    try session.forEach(
      """
      SELECT rngmultitypid, rngtypid FROM pg_catalog.pg_range
      WHERE rngtypid >= \(CatalogSession.firstUserOID)
      """
    ) { row in
      contents.aliases[ObjectIdentity(.type, row.oid())] = ObjectIdentity(.type, row.oid())
    }
    return contents
  }
}
