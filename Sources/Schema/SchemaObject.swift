import Postgres

/// One object of the database while a script is made from it: what it is called in the statements
/// that name it, how it is made, and what it needs.
struct SchemaObject: Sendable {
  /// Where an object stands by itself. Objects before the rows that need one after them move.
  enum Section: Int, Sendable {
    case preData, postData
  }

  /// A part of an object that can be made by a statement of its own, to break a circle of needs.
  struct Part: Sendable {
    var identity: ObjectIdentity
    var kind: ObjectKind
    var name: SQLText
    /// The statements that make the part after the object was made without it.
    var sql: SQLText
    /// `COMMENT ON` this part.
    var commentTarget: SQLText?
    /// Whether the part never stands in the object's own statement.
    var isAlwaysApart = false
    /// Whether the part can only stand in the object's own statement.
    var isFixed = false
    /// For a part without a catalog row, whose needs the server tells as the object's: those are the
    /// part's but for these, the schema and the collation. nil for parts with a row.
    var takesNeedsBut: Set<ObjectIdentity>?
    /// Whether the part, made apart, belongs after the rows (`NOT VALID`).
    var section: Section = .preData
  }

  // Steps that belong to a relation and are no catalog row of their own have its identity, with
  // one of these in the column's place.
  static let sequenceOwner: Int32 = -1
  static let attachment: Int32 = -2
  static let rowSecurity: Int32 = -3
  static let query: Int32 = -4
  static let refresh: Int32 = -5
  static let constraintIndex: Int32 = -6
  static let domainDefault: Int32 = -7

  var identity: ObjectIdentity {
    get { storage.fields.identity }
    _modify { yield &fields.identity }
  }
  var kind: ObjectKind {
    get { storage.fields.kind }
    _modify { yield &fields.kind }
  }
  var schema: SQLText? {
    get { storage.fields.schema }
    _modify { yield &fields.schema }
  }
  var name: SQLText {
    get { storage.fields.name }
    _modify { yield &fields.name }
  }
  var owner: SQLText? {
    get { storage.fields.owner }
    _modify { yield &fields.owner }
  }
  var section: Section {
    get { storage.fields.section }
    _modify { yield &fields.section }
  }
  var stage: SchemaItem.Stage {
    get { storage.fields.stage }
    _modify { yield &fields.stage }
  }
  /// The statements that make the object; parts among `separated` are left out.
  var definition: any ObjectDefinition {
    get { storage.fields.definition }
    _modify { yield &fields.definition }
  }
  /// What stands after `ALTER` and before `OWNER TO`; nil when ownership needs no statement.
  var ownerTarget: SQLText? {
    get { storage.fields.ownerTarget }
    _modify { yield &fields.ownerTarget }
  }
  /// What stands after `COMMENT ON`; nil when the object can have no comment.
  var commentTarget: SQLText? {
    get { storage.fields.commentTarget }
    _modify { yield &fields.commentTarget }
  }
  /// Whether it has no comment although a new database's has one (the schema `public`).
  var losesComment: Bool {
    get { storage.fields.losesComment }
    _modify { yield &fields.losesComment }
  }
  /// Whose comments are meant, where that is not the object itself.
  var commentIdentity: ObjectIdentity? {
    get { storage.fields.commentIdentity }
    _modify { yield &fields.commentIdentity }
  }
  /// Whose column comments are meant, where columns belong to another catalog row (a composite
  /// type's).
  var columnCommentIdentity: ObjectIdentity? {
    get { storage.fields.columnCommentIdentity }
    _modify { yield &fields.columnCommentIdentity }
  }
  /// Columns by number, for comments on them.
  var columnNames: [Int32: SQLText] {
    get { storage.fields.columnNames }
    _modify { yield &fields.columnNames }
  }
  /// `schema.table`, before a column's name.
  var columnPrefix: SQLText {
    get { storage.fields.columnPrefix }
    _modify { yield &fields.columnPrefix }
  }
  var privileges: Privileges? {
    get { storage.fields.privileges }
    _modify { yield &fields.privileges }
  }
  var parts: [Part] {
    get { storage.fields.parts }
    _modify { yield &fields.parts }
  }
  /// A function's signature without defaults and with no body, made first in a circle of needs.
  var stub: SQLText? {
    get { storage.fields.stub }
    _modify { yield &fields.stub }
  }
  /// Needs that `pg_depend` does not tell.
  var needs: [ObjectIdentity] {
    get { storage.fields.needs }
    _modify { yield &fields.needs }
  }
  var locks: [SchemaItem.Lock] {
    get { storage.fields.locks }
    _modify { yield &fields.locks }
  }
  /// Tables that the object is a part of, by OID: it stays or goes with them.
  var tables: [UInt32] {
    get { storage.fields.tables }
    _modify { yield &fields.tables }
  }
  /// The table that a sequence belongs to. The ownership is a statement of its own, so that the
  /// table's default can use the sequence.
  var ownedBy: ObjectIdentity? {
    get { storage.fields.ownedBy }
    _modify { yield &fields.ownedBy }
  }

  /// What the properties hold. Objects are handed on many times, in arrays of a hundred thousand:
  /// as one reference, which is copied when one of several holders changes it.
  private struct Fields {
    var identity: ObjectIdentity
    var kind: ObjectKind
    var schema: SQLText?
    var name: SQLText
    var owner: SQLText?
    var section: Section
    var stage: SchemaItem.Stage = .main
    var definition: any ObjectDefinition
    var ownerTarget: SQLText?
    var commentTarget: SQLText?
    var losesComment = false
    var commentIdentity: ObjectIdentity?
    var columnCommentIdentity: ObjectIdentity?
    var columnNames: [Int32: SQLText] = [:]
    var columnPrefix: SQLText = SQLText()
    var privileges: Privileges?
    var parts: [Part] = []
    var stub: SQLText?
    var needs: [ObjectIdentity] = []
    var locks: [SchemaItem.Lock] = []
    var tables: [UInt32] = []
    var ownedBy: ObjectIdentity?
  }

  // Unchecked: changed only while one holder has it.
  private final class Storage: @unchecked Sendable {
    var fields: Fields
    init(_ fields: Fields) { self.fields = fields }
  }

  private var storage: Storage

  private var fields: Fields {
    get { storage.fields }
    _modify {
      if !isKnownUniquelyReferenced(&storage) { storage = Storage(storage.fields) }
      yield &storage.fields
    }
  }

  init(
    _ identity: ObjectIdentity, _ kind: ObjectKind, schema: SQLText? = nil, name: SQLText,
    owner: SQLText? = nil, section: Section = .preData, definition: any ObjectDefinition
  ) {
    storage = Storage(
      Fields(
        identity: identity, kind: kind, schema: schema, name: name, owner: owner,
        section: section, definition: definition))
  }
}

/// How an object is made.
protocol ObjectDefinition: Sendable {
  /// - Parameter separated: parts that have statements of their own.
  func sql(without separated: Set<ObjectIdentity>) -> SQLText
}

/// A definition that is the same whatever stands around it.
extension SQLText: ObjectDefinition {
  func sql(without separated: Set<ObjectIdentity>) -> SQLText { self }
}
