import Postgres

/// `CREATE TYPE … AS RANGE`, which makes the multirange type too.
enum RangeTypes {
  static func read(_ session: CatalogSession) throws -> KindContents {
    var contents = KindContents()
    try session.forEach(
      """
      SELECT \(TypeRow.columns), pg_catalog.format_type(r.rngsubtype, NULL),
        mn.nspname, m.typname, oc.opcdefault, ocn.nspname, oc.opcname,
        CASE WHEN r.rngcollation <> st.typcollation AND r.rngcollation <> 0
          THEN r.rngcollation::pg_catalog.regcollation END,
        CASE WHEN r.rngcanonical::pg_catalog.oid <> 0 THEN r.rngcanonical END,
        CASE WHEN r.rngsubdiff::pg_catalog.oid <> 0 THEN r.rngsubdiff END,
        m.oid, m.typacl, pg_catalog.acldefault('T', m.typowner),
        pg_catalog.pg_get_userbyid(m.typowner)
      FROM \(TypeRow.source(session))
      JOIN pg_catalog.pg_range r ON r.rngtypid = t.oid
      JOIN pg_catalog.pg_type st ON st.oid = r.rngsubtype
      JOIN pg_catalog.pg_type m ON m.oid = r.rngmultitypid
      JOIN pg_catalog.pg_namespace mn ON mn.oid = m.typnamespace
      JOIN pg_catalog.pg_opclass oc ON oc.oid = r.rngsubopc
      JOIN pg_catalog.pg_namespace ocn ON ocn.oid = oc.opcnamespace
      WHERE t.typtype = 'r'
      """
    ) { row in
      let type = TypeRow(&row)
      var lines: [SQLText] = ["SUBTYPE = \(row.text())"]
      lines.append("MULTIRANGE_TYPE_NAME = \(SQLText.qualified(row.text(), row.text()))")
      let isDefaultClass = row.flag()
      let operatorClass = SQLText.qualified(row.text(), row.text())
      if !isDefaultClass { lines.append("SUBTYPE_OPCLASS = \(operatorClass)") }
      if let collation = row.optional() { lines.append("COLLATION = \(collation)") }
      if let canonical = row.optional() { lines.append("CANONICAL = \(canonical)") }
      if let difference = row.optional() { lines.append("SUBTYPE_DIFF = \(difference)") }
      let body = lines.map { "    \($0)" as SQLText }.joined(separator: ",\n")
      contents.objects.append(
        type.object(
          .rangeType, "CREATE TYPE \(type.qualifiedName) AS RANGE (\n\(body)\n);\n" as SQLText))
    }
    return contents
  }
}
