import Postgres

/// `CREATE FOREIGN DATA WRAPPER`, `CREATE SERVER` and `CREATE USER MAPPING`.
enum ForeignServers {
  static func read(_ session: CatalogSession) throws -> KindContents {
    var contents = try wrappers(session)
    contents.merge(try servers(session))
    contents.merge(try userMappings(session))
    return contents
  }

  private static func wrappers(_ session: CatalogSession) throws -> KindContents {
    var contents = KindContents()
    try session.forEach(
      """
      SELECT f.oid, f.fdwname, pg_catalog.pg_get_userbyid(f.fdwowner), f.fdwacl,
        pg_catalog.acldefault('F', f.fdwowner),
        CASE WHEN f.fdwhandler <> 0 THEN f.fdwhandler::pg_catalog.regproc END,
        CASE WHEN f.fdwvalidator <> 0 THEN f.fdwvalidator::pg_catalog.regproc END, f.fdwoptions
      FROM pg_catalog.pg_foreign_data_wrapper f
      WHERE \(session.isFree(.foreignDataWrapper, "f.oid"))
      """
    ) { row in
      let oid = row.oid()
      let (name, owner, granted, initial) = (
        row.text(), row.text(), row.optional(), row.optional()
      )
      let target: SQLText = "FOREIGN DATA WRAPPER \(name.quotedIdentifier)"
      var sql: SQLText = "CREATE \(target)"
      if let handler = row.optional() { sql += " HANDLER \(handler)" }
      if let validator = row.optional() { sql += " VALIDATOR \(validator)" }
      let options = row.array()
      if !options.isEmpty { sql += " OPTIONS (\(OptionList.foreign(options)))" }
      var object = SchemaObject(
        ObjectIdentity(.foreignDataWrapper, oid), .foreignDataWrapper, name: name, owner: owner,
        definition: sql + ";\n")
      object.ownerTarget = target
      object.commentTarget = target
      object.privileges = Privileges(
        target: target, kind: .foreignDataWrapper, owner: owner, granted: granted,
        initial: initial)
      contents.objects.append(object)
    }
    return contents
  }

  private static func servers(_ session: CatalogSession) throws -> KindContents {
    var contents = KindContents()
    try session.forEach(
      """
      SELECT s.oid, s.srvname, pg_catalog.pg_get_userbyid(s.srvowner), s.srvacl,
        pg_catalog.acldefault('S', s.srvowner), s.srvtype, s.srvversion, f.fdwname, s.srvoptions
      FROM pg_catalog.pg_foreign_server s
      JOIN pg_catalog.pg_foreign_data_wrapper f ON f.oid = s.srvfdw
      WHERE \(session.isFree(.foreignServer, "s.oid"))
      """
    ) { row in
      let oid = row.oid()
      let (name, owner, granted, initial) = (
        row.text(), row.text(), row.optional(), row.optional()
      )
      let target: SQLText = "SERVER \(name.quotedIdentifier)"
      var sql: SQLText = "CREATE \(target)"
      if let type = row.optional() { sql += " TYPE \(type.quotedLiteral)" }
      if let version = row.optional() { sql += " VERSION \(version.quotedLiteral)" }
      sql += " FOREIGN DATA WRAPPER \(row.text().quotedIdentifier)"
      let options = row.array()
      if !options.isEmpty { sql += " OPTIONS (\(OptionList.foreign(options)))" }
      var object = SchemaObject(
        ObjectIdentity(.foreignServer, oid), .foreignServer, name: name, owner: owner,
        definition: sql + ";\n")
      object.ownerTarget = target
      object.commentTarget = target
      object.privileges = Privileges(
        target: "FOREIGN \(target)", kind: .foreignServer, owner: owner, granted: granted,
        initial: initial)
      contents.objects.append(object)
    }
    return contents
  }

  /// The view hides options from roles that may not see them, under the condition that stands here
  /// again (`pg_user_mappings` in the server's `system_views.sql`).
  private static func userMappings(_ session: CatalogSession) throws -> KindContents {
    var contents = KindContents()
    try session.forEach(
      """
      SELECT u.umid, u.srvid, u.srvname, u.umuser <> 0, u.usename, u.umoptions,
        u.umoptions IS NOT NULL
          OR (SELECT r.rolsuper FROM pg_catalog.pg_roles r WHERE r.rolname = CURRENT_USER)
          OR u.umuser = 0 AND pg_catalog.pg_has_role(s.srvowner, 'USAGE')
          OR u.usename = CURRENT_USER AND (pg_catalog.pg_has_role(s.srvowner, 'USAGE')
            OR pg_catalog.has_server_privilege(s.oid, 'USAGE'))
      FROM pg_catalog.pg_user_mappings u
      JOIN pg_catalog.pg_foreign_server s ON s.oid = u.srvid
      WHERE \(session.isFree(.userMapping, "u.umid"))
      """
    ) { row in
      let oid = row.oid()
      let server = row.oid()
      let serverName = row.text()
      let isOfRole = row.flag()
      let role = row.text()
      let options = row.array()
      let user = isOfRole ? role.quotedIdentifier : "PUBLIC"
      if !row.flag() {
        contents.unsupported.append(
          UnsupportedObject(
            what: "user mapping, whose options the role may not see,",
            name: "for \(user) on \(serverName)"))
      }
      var sql: SQLText = "CREATE USER MAPPING FOR \(user) SERVER \(serverName.quotedIdentifier)"
      if !options.isEmpty { sql += " OPTIONS (\(OptionList.foreign(options)))" }
      var object = SchemaObject(
        ObjectIdentity(.userMapping, oid), .userMapping, name: "\(user) \(serverName)",
        definition: sql + ";\n")
      object.needs = [ObjectIdentity(.foreignServer, server)]
      if isOfRole { contents.roles.insert(role) }
      contents.objects.append(object)
    }
    return contents
  }
}
