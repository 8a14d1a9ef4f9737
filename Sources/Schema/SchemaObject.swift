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

  var identity: ObjectIdentity
  var kind: ObjectKind
  var schema: SQLText?
  var name: SQLText
  var owner: SQLText?
  var section: Section
  var stage: SchemaItem.Stage = .main
  /// The statements that make the object; parts among `separated` are left out.
  var definition: any ObjectDefinition
  /// What stands after `ALTER` and before `OWNER TO`; nil when ownership needs no statement.
  var ownerTarget: SQLText?
  /// What stands after `COMMENT ON`; nil when the object can have no comment.
  var commentTarget: SQLText?
  /// Whether it has no comment although a new database's has one (the schema `public`).
  var losesComment = false
  /// Whose comments are meant, where that is not the object itself.
  var commentIdentity: ObjectIdentity?
  /// Whose column comments are meant, where columns belong to another catalog row (a composite
  /// type's).
  var columnCommentIdentity: ObjectIdentity?
  /// Columns by number, for comments on them.
  var columnNames: [Int32: SQLText] = [:]
  /// `schema.table`, before a column's name.
  var columnPrefix: SQLText = ""
  var privileges: Privileges?
  var parts: [Part] = []
  /// A function's signature without defaults and with no body, made first in a circle of needs.
  var stub: SQLText?
  /// Needs that `pg_depend` does not tell.
  var needs: [ObjectIdentity] = []
  var locks: [SchemaItem.Lock] = []
  /// Tables that the object is a part of, by OID: it stays or goes with them.
  var tables: [UInt32] = []
  /// The table that a sequence belongs to. The ownership is a statement of its own, so that the
  /// table's default can use the sequence.
  var ownedBy: ObjectIdentity?

  init(
    _ identity: ObjectIdentity, _ kind: ObjectKind, schema: SQLText? = nil, name: SQLText,
    owner: SQLText? = nil, section: Section = .preData, definition: any ObjectDefinition
  ) {
    self.identity = identity
    self.kind = kind
    self.schema = schema
    self.name = name
    self.owner = owner
    self.section = section
    self.definition = definition
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
