import Postgres

/// `ALTER DEFAULT PRIVILEGES`.
enum DefaultPrivileges {
  static func read(_ session: CatalogSession) throws -> KindContents {
    var contents = KindContents()
    try session.forEach(
      """
      SELECT d.oid, pg_catalog.pg_get_userbyid(d.defaclrole), n.nspname, d.defaclobjtype,
        d.defaclacl,
        CASE WHEN d.defaclnamespace = 0 THEN pg_catalog.acldefault(
          CASE WHEN d.defaclobjtype = 'S' THEN 's' ELSE d.defaclobjtype END, d.defaclrole)
        ELSE '{}' END
      FROM pg_catalog.pg_default_acl d
      LEFT JOIN pg_catalog.pg_namespace n ON n.oid = d.defaclnamespace
      WHERE \(session.isFree(.defaultPrivileges, "d.oid"))
      """
    ) { row in
      let oid = row.oid()
      let role = row.text()
      let schema = row.optional()
      let (word, kind) = kinds(row.letter())
      let (granted, initial) = (row.text(), row.text())
      var prefix: SQLText = "ALTER DEFAULT PRIVILEGES FOR ROLE \(role.quotedIdentifier) "
      if let schema { prefix += "IN SCHEMA \(schema.quotedIdentifier) " }
      let sql = Privileges.statements(
        from: initial, to: granted, target: word, owner: role, prefix: prefix,
        names: { kind.names($0, version: session.version, column: nil) })
      for item in AccessItem.items(granted) + AccessItem.items(initial)
      where !item.grantee.isEmpty {
        contents.roles.insert(item.grantee)
      }
      contents.roles.insert(role)
      var object = SchemaObject(
        ObjectIdentity(.defaultPrivileges, oid), .defaultPrivileges, schema: schema,
        name: "\(role) \(word)", section: .postData, definition: sql)
      object.stage = .privileges
      contents.objects.append(object)
    }
    return contents
  }

  private static func kinds(_ letter: Character) -> (SQLText, PrivilegeKind) {
    switch letter {
    case "r": ("TABLES", .table)
    case "S": ("SEQUENCES", .sequence)
    case "f": ("FUNCTIONS", .function)
    case "T": ("TYPES", .type)
    case "n": ("SCHEMAS", .schema)
    default: ("LARGE OBJECTS", .largeObject)
    }
  }
}
