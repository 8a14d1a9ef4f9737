import Postgres

/// `CREATE TYPE … AS (…)`.
enum CompositeTypes {
  static func read(_ session: CatalogSession) throws -> KindContents {
    struct Attribute {
      var number: Int32
      var name: SQLText
      var definition: SQLText
    }
    var attributes: [UInt32: [Attribute]] = [:]
    try session.forEach(
      """
      SELECT a.attrelid, a.attnum, a.attname,
        pg_catalog.format_type(a.atttypid, a.atttypmod),
        CASE WHEN a.attcollation <> t.typcollation AND a.attcollation <> 0
          THEN a.attcollation::pg_catalog.regcollation END
      FROM pg_catalog.pg_class c
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace AND \(session.isUserSchema())
      JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
      JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
      WHERE c.relkind = 'c'
      ORDER BY a.attrelid, a.attnum
      """
    ) { row in
      let type = row.oid()
      let number = Int32(row.int())
      let name = row.text()
      var definition: SQLText = "\(name.quotedIdentifier) \(row.text())"
      if let collation = row.optional() { definition += " COLLATE \(collation)" }
      attributes[type, default: []].append(
        Attribute(number: number, name: name, definition: definition))
    }
    var contents = KindContents()
    try session.forEach(
      """
      SELECT \(TypeRow.columns), t.typrelid FROM \(TypeRow.source(session))
      JOIN pg_catalog.pg_class c ON c.oid = t.typrelid AND c.relkind = 'c'
      WHERE t.typtype = 'c'
      """
    ) { row in
      let type = TypeRow(&row)
      let relation = row.oid()
      let list = attributes[relation] ?? []
      let lines = list.map { "    \($0.definition)" as SQLText }.joined(separator: ",\n")
      var object = type.object(
        .compositeType,
        "CREATE TYPE \(type.qualifiedName) AS (\n\(lines)\n);\n" as SQLText)
      object.columnCommentIdentity = ObjectIdentity(.relation, relation)
      object.columnPrefix = type.qualifiedName
      for attribute in list { object.columnNames[attribute.number] = attribute.name }
      contents.objects.append(object)
    }
    return contents
  }
}
