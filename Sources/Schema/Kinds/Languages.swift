import Postgres

/// `CREATE LANGUAGE`, for languages that no extension brought.
enum Languages {
  static func read(_ session: CatalogSession) throws -> KindContents {
    var contents = KindContents()
    try session.forEach(
      """
      SELECT l.oid, l.lanname, pg_catalog.pg_get_userbyid(l.lanowner), l.lanacl,
        pg_catalog.acldefault('l', l.lanowner), l.lanpltrusted,
        l.lanplcallfoid::pg_catalog.regproc,
        CASE WHEN l.laninline <> 0 THEN l.laninline::pg_catalog.regproc END,
        CASE WHEN l.lanvalidator <> 0 THEN l.lanvalidator::pg_catalog.regproc END
      FROM pg_catalog.pg_language l
      WHERE l.lanispl AND l.oid >= \(CatalogSession.firstUserOID)
        AND \(session.isFree(.language, "l.oid"))
      """
    ) { row in
      let oid = row.oid()
      let (name, owner) = (row.text(), row.text())
      let (granted, initial) = (row.optional(), row.optional())
      var sql: SQLText = """
        CREATE \(row.flag() ? "TRUSTED " : "")PROCEDURAL LANGUAGE \(name.quotedIdentifier) \
        HANDLER \(row.text())
        """
      if let inline = row.optional() { sql += " INLINE \(inline)" }
      if let validator = row.optional() { sql += " VALIDATOR \(validator)" }
      var object = SchemaObject(
        ObjectIdentity(.language, oid), .language, name: name, owner: owner,
        definition: sql + ";\n")
      let target: SQLText = "LANGUAGE \(name.quotedIdentifier)"
      object.ownerTarget = target
      object.commentTarget = target
      object.privileges = Privileges(
        target: target, kind: .language, owner: owner, granted: granted, initial: initial)
      contents.objects.append(object)
    }
    return contents
  }
}
