import Postgres

/// What all kinds of types have.
struct TypeRow {
  var oid: UInt32
  var schema: SQLText
  var name: SQLText
  var owner: SQLText
  var granted: SQLText?
  var initial: SQLText?

  /// The select list that ``init(_:)`` reads.
  static let columns: SQLText = """
    t.oid, n.nspname, t.typname, pg_catalog.pg_get_userbyid(t.typowner), t.typacl,
      pg_catalog.acldefault('T', t.typowner)
    """

  static func source(_ session: CatalogSession) -> SQLText {
    """
    pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
      AND \(session.isUserSchema()) AND \(session.isFree(.type, "t.oid"))
    """
  }

  init(_ row: inout CatalogRow) {
    oid = row.oid()
    schema = row.text()
    name = row.text()
    owner = row.text()
    granted = row.optional()
    initial = row.optional()
  }

  var qualifiedName: SQLText { .qualified(schema, name) }

  func object(_ kind: ObjectKind, _ definition: any ObjectDefinition) -> SchemaObject {
    var object = SchemaObject(
      ObjectIdentity(.type, oid), kind, schema: schema, name: name, owner: owner,
      definition: definition)
    let target: SQLText = "\(kind.label) \(qualifiedName)"
    object.ownerTarget = target
    object.commentTarget = target
    // GRANT knows no DOMAIN.
    object.privileges = Privileges(
      target: "TYPE \(qualifiedName)", kind: .type, owner: owner, granted: granted,
      initial: initial)
    return object
  }
}
