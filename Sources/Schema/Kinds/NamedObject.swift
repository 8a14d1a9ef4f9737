import Postgres

/// What most kinds in a schema have: a name and an owner, and a name for `ALTER` and `COMMENT`.
struct NamedObject {
  var oid: UInt32
  var schema: SQLText
  var name: SQLText
  var owner: SQLText

  var qualifiedName: SQLText { .qualified(schema, name) }

  /// Reads OID, schema, name and owner.
  init(_ row: inout CatalogRow) {
    oid = row.oid()
    schema = row.text()
    name = row.text()
    owner = row.text()
  }

  /// - Parameter suffix: what follows the name where it is not enough: ` USING gist`.
  func object(
    _ catalog: Catalog, _ kind: ObjectKind, _ sql: SQLText, suffix: SQLText = "",
    section: SchemaObject.Section = .preData
  ) -> SchemaObject {
    var object = SchemaObject(
      ObjectIdentity(catalog, oid), kind, schema: schema, name: name + suffix, owner: owner,
      section: section, definition: sql)
    object.ownerTarget = "\(kind.label) \(qualifiedName)\(suffix)"
    object.commentTarget = "\(kind.label) \(qualifiedName)\(suffix)"
    return object
  }
}
