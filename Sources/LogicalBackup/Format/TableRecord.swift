public import Postgres

/// One table of a logical backup, as the index tells it.
public struct TableRecord: Hashable, Sendable {
  /// What members call it by; counted from 1.
  public var number: Int
  public var schema: SQLText
  public var name: SQLText
  /// The columns whose values the rows hold, in their order.
  public var columns: [SQLText]
  /// What its rows add up to.
  public var sum: TableSum
  /// For an extension's configuration table: the condition on the rows that are kept, beginning
  /// with `WHERE`, or empty when all are. Verification counts the same rows.
  public var condition: SQLText?

  public init(
    number: Int, schema: SQLText, name: SQLText, columns: [SQLText], sum: TableSum,
    condition: SQLText? = nil
  ) {
    self.number = number
    self.schema = schema
    self.name = name
    self.columns = columns
    self.sum = sum
    self.condition = condition
  }

  /// `schema.name`, quoted where need be.
  public var qualifiedName: SQLText { .qualified(schema, name) }

  /// The columns in parentheses, quoted where need be, as COPY takes them.
  public var columnList: SQLText { "(\(columns.map(\.quotedIdentifier).joined(separator: ", ")))" }

  /// The statement that stands before the rows in each of the table's members, its line included.
  ///
  /// A table without columns has rows as well, of no bytes each.
  public var copyStatement: SQLText {
    columns.isEmpty
      ? "COPY \(qualifiedName) FROM stdin;\n"
      : "COPY \(qualifiedName) \(columnList) FROM stdin;\n"
  }

  /// What stands behind the rows.
  public static let copyEnd: SQLText = "\\.\n\n"

  var line: IndexLine {
    var line = IndexLine("table")
    line.add("number", number)
    line.add("schema", schema)
    line.add("name", name)
    line.add("columns", columns)
    if let condition { line.add("condition", condition) }
    line.add("rows", sum.rows)
    line.add("hash", hash: sum.hash)
    line.add("text_bytes", sum.bytes)
    return line
  }

  init(_ object: IndexObject) throws {
    number = try object.count("number")
    schema = try object.text("schema")
    name = try object.text("name")
    columns = try object.texts("columns")
    condition = try object.optionalText("condition")
    sum = TableSum(
      rows: try object.count("rows"), hash: try object.hash("hash"),
      bytes: try object.count("text_bytes"))
  }
}
