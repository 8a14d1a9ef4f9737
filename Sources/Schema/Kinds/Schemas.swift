import Postgres

/// `CREATE SCHEMA`. The schema `public` is there in every new database, so that it is only brought
/// to the state in which it was.
enum Schemas {
  static func read(_ session: CatalogSession) throws -> KindContents {
    var contents = KindContents()
    try session.forEach(
      """
      SELECT n.oid, n.nspname, pg_catalog.pg_get_userbyid(n.nspowner), n.nspacl,
        pg_catalog.acldefault('n', n.nspowner) OPERATOR(pg_catalog.||)
          CASE WHEN n.nspname = 'public'
            THEN ARRAY[pg_catalog.makeaclitem(0, n.nspowner, 'USAGE', false)]
            ELSE '{}' END,
        n.nspname = 'public' AND pg_catalog.obj_description(n.oid, 'pg_namespace') IS NULL
      FROM pg_catalog.pg_namespace n
      WHERE \(session.isUserSchema()) AND \(session.isFree(.schema, "n.oid"))
      """
    ) { row in
      let oid = row.oid()
      let name = row.text()
      let owner = row.text()
      let granted = row.optional()
      let initial = row.optional()
      var schema = object(oid, name, owner, granted, initial)
      schema.losesComment = row.flag()
      contents.objects.append(schema)
    }
    return contents
  }

  private static func object(
    _ oid: UInt32, _ name: SQLText, _ owner: SQLText, _ granted: SQLText?, _ initial: SQLText?
  ) -> SchemaObject {
    let isPublic = name == "public"
    var object = SchemaObject(
      ObjectIdentity(.schema, oid), .schema, name: name, owner: owner,
      definition: isPublic ? SQLText() : "CREATE SCHEMA \(name.quotedIdentifier);\n" as SQLText)
    let target: SQLText = "SCHEMA \(name.quotedIdentifier)"
    object.commentTarget = target
    let privileges = Privileges(
      target: target, kind: .schema, owner: owner, granted: granted, initial: initial)
    if isPublic {
      // A new database's public schema belongs to the database's owner, and everybody may look.
      if owner != "pg_database_owner" { object.ownerTarget = target }
    } else {
      object.ownerTarget = target
    }
    object.privileges = privileges
    return object
  }
}
