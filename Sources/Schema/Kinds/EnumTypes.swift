import Postgres

/// `CREATE TYPE … AS ENUM`.
enum EnumTypes {
  static func read(_ session: CatalogSession) throws -> KindContents {
    var labels: [UInt32: [SQLText]] = [:]
    try session.forEach(
      """
      SELECT enumtypid, enumlabel FROM pg_catalog.pg_enum ORDER BY enumtypid, enumsortorder
      """
    ) { row in
      labels[row.oid(), default: []].append(row.text())
    }
    var contents = KindContents()
    try session.forEach(
      "SELECT \(TypeRow.columns) FROM \(TypeRow.source(session)) WHERE t.typtype = 'e'"
    ) { row in
      let type = TypeRow(&row)
      let list = (labels[type.oid] ?? []).map { "    \($0.quotedLiteral)" as SQLText }
      let sql: SQLText = """
        CREATE TYPE \(type.qualifiedName) AS ENUM (
        \(list.joined(separator: ",\n"))
        );

        """
      contents.objects.append(type.object(.enumType, sql))
    }
    return contents
  }
}
