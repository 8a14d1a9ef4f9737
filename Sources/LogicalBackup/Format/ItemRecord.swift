public import Postgres

/// One statement group of the post-data: an index, a constraint, a trigger, …
public struct ItemRecord: Hashable, Sendable {
  /// A lock on a table that running it takes.
  public struct Lock: Hashable, Sendable {
    /// The table's OID in the database that was backed up: equal for equal tables.
    public var table: Int
    /// Whether two items with this lock on one table can run at the same time.
    public var isShared: Bool

    public init(table: Int, isShared: Bool) {
      self.table = table
      self.isShared = isShared
    }
  }

  /// What others depend on it by; counted from 1 in the file's order.
  public var number: Int
  /// In SQL's words: `INDEX`, `FK CONSTRAINT`.
  public var kind: String
  public var schema: SQLText?
  public var name: SQLText
  /// All items of a stage come before those of the next.
  public var stage: Int
  /// Numbers of items that must be done before.
  public var dependencies: [Int]
  public var locks: [Lock]
  /// The offset of the member that holds it.
  public var member: Int
  /// Where its statements begin in the member's text, and how many bytes they take: none for what
  /// comes with another item, such as the index of a constraint.
  public var start: Int
  public var length: Int

  public init(
    number: Int, kind: String, schema: SQLText?, name: SQLText, stage: Int, dependencies: [Int],
    locks: [Lock], member: Int, start: Int, length: Int
  ) {
    self.number = number
    self.kind = kind
    self.schema = schema
    self.name = name
    self.stage = stage
    self.dependencies = dependencies
    self.locks = locks
    self.member = member
    self.start = start
    self.length = length
  }

  var line: IndexLine {
    var line = IndexLine("item")
    line.add("number", number)
    line.add("kind", kind)
    if let schema { line.add("schema", schema) }
    line.add("name", name)
    line.add("stage", stage)
    line.add("after", dependencies)
    line.add("locks", locks.filter { !$0.isShared }.map(\.table))
    line.add("shared_locks", locks.filter(\.isShared).map(\.table))
    line.add("member", member)
    line.add("start", start)
    line.add("length", length)
    return line
  }

  init(_ object: IndexObject) throws {
    number = try object.count("number")
    kind = try object.string("kind")
    schema = try object.optionalText("schema")
    name = try object.text("name")
    stage = try object.count("stage")
    dependencies = try object.counts("after")
    locks =
      try object.counts("locks").map { Lock(table: $0, isShared: false) }
      + object.counts("shared_locks").map { Lock(table: $0, isShared: true) }
    member = try object.count("member")
    start = try object.count("start")
    length = try object.count("length")
  }
}
