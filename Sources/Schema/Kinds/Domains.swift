import Postgres

/// `CREATE DOMAIN`.
enum Domains {
  struct Definition: ObjectDefinition {
    var head: SQLText
    /// Stands in the statement unless it is made apart.
    var value: (identity: ObjectIdentity, sql: SQLText)?
    /// What stands after the default.
    var tail: SQLText = ""
    /// Constraints that stand in the statement unless they are made apart.
    var constraints: [(identity: ObjectIdentity, sql: SQLText)] = []

    func sql(without separated: Set<ObjectIdentity>) -> SQLText {
      var sql = head
      if let value, !separated.contains(value.identity) { sql += " DEFAULT \(value.sql)" }
      sql += tail
      for constraint in constraints where !separated.contains(constraint.identity) {
        sql += "\n    \(constraint.sql)"
      }
      return sql + ";\n"
    }
  }

  static func read(_ session: CatalogSession) throws -> KindContents {
    var constraints: [UInt32: [Constraint]] = [:]
    try session.forEach(
      """
      SELECT c.contypid, c.oid, c.conname, c.contype, c.convalidated,
        pg_catalog.pg_get_constraintdef(c.oid)
      FROM pg_catalog.pg_constraint c WHERE c.contypid <> 0 ORDER BY c.conname
      """
    ) { row in
      constraints[row.oid(), default: []].append(
        Constraint(
          identity: ObjectIdentity(.constraint, row.oid()), name: row.text(),
          isNotNull: row.letter() == "n", isValid: row.flag(), sql: row.text()))
    }
    var contents = KindContents()
    try session.forEach(
      """
      SELECT \(TypeRow.columns), pg_catalog.format_type(t.typbasetype, t.typtypmod),
        CASE WHEN t.typcollation <> b.typcollation AND t.typcollation <> 0
          THEN t.typcollation::pg_catalog.regcollation END,
        t.typnotnull,
        pg_catalog.pg_get_expr(t.typdefaultbin, 'pg_catalog.pg_type'::pg_catalog.regclass),
        t.typdefault, t.typbasetype
      FROM \(TypeRow.source(session)) JOIN pg_catalog.pg_type b ON b.oid = t.typbasetype
      WHERE t.typtype = 'd'
      """
    ) { row in
      let type = TypeRow(&row)
      contents.objects.append(object(type, &row, constraints[type.oid] ?? []))
    }
    return contents
  }

  private struct Constraint {
    var identity: ObjectIdentity
    var name: SQLText
    var isNotNull: Bool
    var isValid: Bool
    var sql: SQLText
  }

  private static func object(
    _ type: TypeRow, _ row: inout CatalogRow, _ constraints: [Constraint]
  ) -> SchemaObject {
    var head: SQLText = "CREATE DOMAIN \(type.qualifiedName) AS \(row.text())"
    if let collation = row.optional() { head += " COLLATE \(collation)" }
    let isNotNull = row.flag()
    let expression = row.optional()
    let value = expression ?? row.optional().map(\.quotedLiteral)
    let base = ObjectIdentity(.type, row.oid())
    var definition = Definition(head: head)
    var parts: [SchemaObject.Part] = []
    if let value {
      let identity = ObjectIdentity(.type, type.oid, column: SchemaObject.domainDefault)
      definition.value = (identity, value)
      parts.append(
        SchemaObject.Part(
          identity: identity, kind: .columnDefault, name: type.name,
          sql: "ALTER DOMAIN \(type.qualifiedName) SET DEFAULT \(value);\n",
          takesNeedsBut: [base]))
    }
    // Servers from 17 on name the constraint.
    if isNotNull, !constraints.contains(where: \.isNotNull) { definition.tail = " NOT NULL" }
    for constraint in constraints {
      let clause: SQLText = "CONSTRAINT \(constraint.name.quotedIdentifier) \(constraint.sql)"
      if constraint.isValid {
        definition.constraints.append((constraint.identity, clause))
      }
      parts.append(
        SchemaObject.Part(
          identity: constraint.identity, kind: .domainConstraint,
          name: "\(type.name) \(constraint.name)",
          sql: "ALTER DOMAIN \(type.qualifiedName) ADD \(clause);\n",
          commentTarget: """
            CONSTRAINT \(constraint.name.quotedIdentifier) ON DOMAIN \(type.qualifiedName)
            """,
          isAlwaysApart: !constraint.isValid))
    }
    var object = type.object(.domain, definition)
    object.parts = parts
    return object
  }
}
