import Postgres

/// `CREATE EXTENSION`. What an extension brought with it is made by that statement alone.
enum Extensions {
  static func read(_ session: CatalogSession) throws -> KindContents {
    var contents = KindContents()
    try session.forEach(
      """
      SELECT x.oid, x.extname, x.extversion, n.nspname
      FROM pg_catalog.pg_extension x
      JOIN pg_catalog.pg_namespace n ON n.oid = x.extnamespace
      """
    ) { row in
      let oid = row.oid()
      let name = row.text()
      let fact = ExtensionFact(name: name, version: row.text(), schema: row.text())
      contents.extensions.append(fact)
      // Template databases have their extensions already (plpgsql).
      guard oid >= CatalogSession.firstUserOID else { return }
      var object = SchemaObject(
        ObjectIdentity(.extension, oid), .extension, name: name,
        definition: """
          CREATE EXTENSION IF NOT EXISTS \(name.quotedIdentifier) \
          WITH SCHEMA \(fact.schema.quotedIdentifier);

          """ as SQLText)
      object.commentTarget = "EXTENSION \(name.quotedIdentifier)"
      contents.objects.append(object)
    }
    try session.forEach(
      """
      SELECT classid, objid, refobjid FROM pg_catalog.pg_depend
      WHERE deptype = 'e' AND refclassid = \(Catalog.extension.rawValue) AND objsubid = 0
      """
    ) { row in
      let member = ObjectIdentity(Catalog(rawValue: row.oid()), row.oid())
      contents.aliases[member] = ObjectIdentity(.extension, row.oid())
    }
    return contents
  }
}

extension CatalogSession {
  /// The lowest OID that the server gives to what is made after initdb (`FirstNormalObjectId`).
  static let firstUserOID: UInt32 = 16_384
}
