import Postgres

/// `CREATE OPERATOR`. An operator that another one only names (a commutator that was never made) is
/// made by that name alone.
enum Operators {
  static func read(_ session: CatalogSession) throws -> KindContents {
    var contents = KindContents()
    try session.forEach(
      """
      SELECT o.oid, n.nspname, o.oprname, pg_catalog.pg_get_userbyid(o.oprowner), o.oprcode,
        CASE WHEN o.oprleft <> 0 THEN pg_catalog.format_type(o.oprleft, NULL) END,
        CASE WHEN o.oprright <> 0 THEN pg_catalog.format_type(o.oprright, NULL) END,
        cn.nspname, c.oprname, nn.nspname, g.oprname,
        CASE WHEN o.oprrest::pg_catalog.oid <> 0 THEN o.oprrest END,
        CASE WHEN o.oprjoin::pg_catalog.oid <> 0 THEN o.oprjoin END,
        o.oprcanhash, o.oprcanmerge
      FROM pg_catalog.pg_operator o
      JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace AND \(session.isUserSchema())
      LEFT JOIN pg_catalog.pg_operator c ON c.oid = o.oprcom
      LEFT JOIN pg_catalog.pg_namespace cn ON cn.oid = c.oprnamespace
      LEFT JOIN pg_catalog.pg_operator g ON g.oid = o.oprnegate
      LEFT JOIN pg_catalog.pg_namespace nn ON nn.oid = g.oprnamespace
      WHERE o.oprcode::pg_catalog.oid <> 0 AND \(session.isFree(.operator, "o.oid"))
      """
    ) { row in
      let named = NamedObject(&row)
      var lines: [SQLText] = ["FUNCTION = \(row.text())"]
      let (left, right) = (row.optional(), row.optional())
      if let left { lines.append("LEFTARG = \(left)") }
      if let right { lines.append("RIGHTARG = \(right)") }
      for name in ["COMMUTATOR", "NEGATOR"] {
        let (schema, other) = (row.text(), row.text())
        if !other.isEmpty {
          lines.append("\(name) = OPERATOR(\(schema.quotedIdentifier).\(other))")
        }
      }
      for name in ["RESTRICT", "JOIN"] {
        if let function = row.optional() { lines.append("\(name) = \(function)") }
      }
      for name in ["HASHES", "MERGES"] where row.flag() { lines.append(SQLText(name)) }
      // An operator's name is never quoted.
      let qualified: SQLText = "\(named.schema.quotedIdentifier).\(named.name)"
      let arguments: SQLText = "(\(left ?? "NONE"), \(right ?? "NONE"))"
      var object = SchemaObject(
        ObjectIdentity(.operator, named.oid), .operator, schema: named.schema,
        name: "\(named.name) \(arguments)", owner: named.owner,
        definition: """
          CREATE OPERATOR \(qualified) (
          \(lines.map { "    \($0)" as SQLText }.joined(separator: ",\n"))
          );

          """ as SQLText)
      object.ownerTarget = "OPERATOR \(qualified) \(arguments)"
      object.commentTarget = "OPERATOR \(qualified) \(arguments)"
      contents.objects.append(object)
    }
    return contents
  }
}
