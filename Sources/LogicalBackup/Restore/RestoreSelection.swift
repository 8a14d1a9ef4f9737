import Postgres

/// The relations that a restore of a part of a backup makes and fills.
struct RestoreSelection: Sendable {
  private let patterns: [TablePattern]
  /// Partitions of tables that were asked for.
  private var partitions: Set<RelationName> = []

  /// - Returns: nil when nothing is left out.
  init?(_ options: RestoreOptions) throws {
    patterns =
      try options.tables.map { try TablePattern($0) }
      + options.schemas.map { try TablePattern(schema: $0) }
    if patterns.isEmpty { return nil }
  }

  func contains(_ relation: RelationName) -> Bool {
    partitions.contains(relation) || patterns.contains { $0.matches(relation) }
  }

  func contains(_ table: TableRecord) -> Bool {
    contains(RelationName(schema: table.schema, name: table.name))
  }

  /// Takes in the partitions of what is selected, theirs too.
  ///
  /// - Parameter attachments: which table is a partition of which, in whatever order.
  mutating func addPartitions(_ attachments: [(parent: RelationName, child: RelationName)]) {
    var hasGrown = true
    while hasGrown {
      hasGrown = false
      for (parent, child) in attachments where contains(parent) && !contains(child) {
        partitions.insert(child)
        hasGrown = true
      }
    }
  }

  /// Whether the statement makes a relation that was not asked for.
  func omits(_ statement: SQLStatement) -> Bool {
    RelationName(madeBy: statement).map { !contains($0) } ?? false
  }

  /// Whether a statement failed for want of something that was not asked for.
  static func isConsequence(_ error: ServerMessage) -> Bool {
    ["42P01", "42704", "42883", "3F000", "42703", "42809", "42P17"].contains(error.sqlState.code)
  }
}
