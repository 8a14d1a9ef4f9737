import Postgres

/// What the reader of one kind found.
struct KindContents: Sendable {
  var objects: [SchemaObject] = []
  /// Catalog rows that are made together with another object: an index with its constraint.
  var aliases: [ObjectIdentity: ObjectIdentity] = [:]
  var tables: [TableData] = []
  var sequences: [SequenceData] = []
  var extensions: [ExtensionFact] = []
  var roles: Set<SQLText> = []
  var unsupported: [UnsupportedObject] = []
  var comments = Comments()
  var dependencies: [Dependency] = []
  var relations = RelationFacts()
  var indexes = IndexFacts()
  var constraints: [Constraints.Row] = []
  /// What `Inventory` counted.
  var inventory: [ObjectIdentity] = []

  mutating func merge(_ other: KindContents) {
    objects += other.objects
    aliases.merge(other.aliases) { first, _ in first }
    tables += other.tables
    sequences += other.sequences
    extensions += other.extensions
    roles.formUnion(other.roles)
    unsupported += other.unsupported
    comments.merge(other.comments)
    dependencies += other.dependencies
    relations.merge(other.relations)
    indexes.merge(other.indexes)
    constraints += other.constraints
    inventory += other.inventory
  }
}
