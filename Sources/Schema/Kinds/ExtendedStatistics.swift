import Postgres

/// `CREATE STATISTICS`.
enum ExtendedStatistics {
  static func read(_ session: CatalogSession) throws -> KindContents {
    var contents = KindContents()
    try session.forEach(
      """
      SELECT s.oid, n.nspname, s.stxname, pg_catalog.pg_get_userbyid(s.stxowner), s.stxrelid,
        pg_catalog.pg_get_statisticsobjdef(s.oid), NULLIF(s.stxstattarget, -1)
      FROM pg_catalog.pg_statistic_ext s
      JOIN pg_catalog.pg_namespace n ON n.oid = s.stxnamespace AND \(session.isUserSchema())
      WHERE \(session.isFree(.extendedStatistics, "s.oid"))
      """
    ) { row in
      let named = NamedObject(&row)
      let table = row.oid()
      var sql = row.text() + ";\n"
      if let target = row.optionalInt() {
        sql += "ALTER STATISTICS \(named.qualifiedName) SET STATISTICS \(target);\n"
      }
      var object = named.object(
        .extendedStatistics, .extendedStatistics, sql, section: .postData)
      object.tables = [table]
      object.locks = [SchemaItem.Lock(table: table, isShared: false)]
      contents.objects.append(object)
    }
    return contents
  }
}
