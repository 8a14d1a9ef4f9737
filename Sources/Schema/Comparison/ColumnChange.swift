import Postgres

/// How a column's declaration changes: `note text DEFAULT 'x'::text NOT NULL`.
struct ColumnChange {
  let name: SQLText
  let from: SQLText
  let to: SQLText

  /// What follows `ALTER TABLE t`; empty when the change is none of those that it knows.
  var clauses: [SQLText] {
    guard let old = Declaration(from, name), let new = Declaration(to, name) else { return [] }
    var clauses: [SQLText] = []
    let column: SQLText = "ALTER COLUMN \(name)"
    if old.value != new.value, new.type != old.type, old.value != nil {
      clauses.append("\(column) DROP DEFAULT")
    }
    if old.type != new.type { clauses.append("\(column) TYPE \(new.type)") }
    if old.value != new.value {
      if let value = new.value {
        clauses.append("\(column) SET DEFAULT \(value)")
      } else if clauses.isEmpty || old.type == new.type {
        clauses.append("\(column) DROP DEFAULT")
      }
    }
    if old.isNotNull != new.isNotNull {
      clauses.append("\(column) \(new.isNotNull ? "SET" : "DROP") NOT NULL")
    }
    return clauses
  }

  private struct Declaration {
    var type: SQLText
    var value: SQLText?
    var isNotNull = false

    /// nil for generated columns, options and named constraints, which change in other ways.
    init?(_ element: SQLText, _ name: SQLText) {
      var text = String(element.string.dropFirst(name.string.count + 1))
      guard text.firstRange(of: " GENERATED ALWAYS ") == nil,
        text.firstRange(of: " OPTIONS (") == nil, text.firstRange(of: " CONSTRAINT ") == nil
      else { return nil }
      if text.hasSuffix(" NOT NULL") {
        isNotNull = true
        text.removeLast(9)
      }
      if let range = text.firstRange(of: " DEFAULT ") {
        value = SQLText(text[range.upperBound...])
        text = String(text[..<range.lowerBound])
      }
      type = SQLText(text)
    }
  }
}
