public import Postgres

/// One step of a schema script: the statements that make one object, whole.
public struct SchemaItem: Sendable {
  /// When a step of the post-data may run. All steps of one stage come before the next stage's.
  public enum Stage: Int, Sendable, Comparable, CaseIterable {
    /// Indexes, constraints, triggers: everything that has to be there for the database to be whole.
    case main
    /// Grants, which may take rights away that the steps before need.
    case privileges
    /// Event triggers, and refreshing materialized views, which runs with their owners' rights.
    case last

    public static func < (left: Stage, right: Stage) -> Bool { left.rawValue < right.rawValue }
  }

  /// A lock that a step takes on a table that was there before it.
  public struct Lock: Hashable, Sendable {
    /// The table's OID in the database that the schema was read from.
    public var table: UInt32
    /// Whether two steps with this lock on the same table can run at once (`SHARE`).
    public var isShared: Bool

    public init(table: UInt32, isShared: Bool) {
      self.table = table
      self.isShared = isShared
    }
  }

  public var kind: ObjectKind
  /// nil for what lies in no schema.
  public var schema: SQLText?
  /// The name as people know it: functions with their arguments, constraints with their table.
  public var name: SQLText
  public var owner: SQLText?
  /// Whole statements, each ending in `;` and a newline.
  public var sql: SQLText
  public var stage: Stage
  /// Tables that the statements lock.
  public var locks: [Lock]
  /// For a step of the post-data: the positions in `postData` of steps that must be done before,
  /// stages apart.
  public var dependencies: [Int]

  public init(
    kind: ObjectKind, schema: SQLText?, name: SQLText, owner: SQLText?, sql: SQLText, stage: Stage,
    locks: [Lock], dependencies: [Int]
  ) {
    self.kind = kind
    self.schema = schema
    self.name = name
    self.owner = owner
    self.sql = sql
    self.stage = stage
    self.locks = locks
    self.dependencies = dependencies
  }

  /// The statements under a heading that names the object, for people who read the file.
  public var text: SQLText {
    var heading: SQLText = "--\n-- \(kind.label): "
    if let schema { heading += "\(Self.onOneLine(schema))." }
    heading += Self.onOneLine(name)
    if let owner { heading += "; owner: \(Self.onOneLine(owner))" }
    return heading + "\n--\n\n" + sql + "\n"
  }

  /// A name can hold newlines, which would end the comment that it stands in.
  private static func onOneLine(_ name: SQLText) -> SQLText {
    SQLText(bytes: name.bytes.map { $0 == 10 || $0 == 13 ? UInt8(ascii: " ") : $0 })
  }
}
