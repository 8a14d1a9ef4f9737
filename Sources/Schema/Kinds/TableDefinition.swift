import Postgres

/// `CREATE TABLE` and `CREATE FOREIGN TABLE`, with what only `ALTER` can say.
struct TableDefinition: ObjectDefinition {
  struct Check: Sendable {
    var identity: ObjectIdentity
    var clause: SQLText
  }

  var name: SQLText
  /// `TABLE`, `UNLOGGED TABLE`, `FOREIGN TABLE`.
  var keyword: SQLText
  /// The composite type that a typed table is made of.
  var typeName: SQLText?
  /// All columns that there are, with those that come from parents.
  var columns: [TableColumn]
  var isPartition: Bool
  var checks: [Check] = []
  /// Not-null constraints declared here on columns that come from parents.
  var notNulls: [SQLText] = []
  var parents: [SQLText] = []
  /// What follows the closing parenthesis, a clause a line.
  var clauses: [SQLText] = []
  /// Whole statements that follow.
  var alterations: SQLText = ""

  func sql(without separated: Set<ObjectIdentity>) -> SQLText {
    var lines: [SQLText] = []
    for column in columns where isDeclared(column) {
      let line = declaration(column, separated)
      if let line { lines.append(line) }
    }
    lines += notNulls
    for check in checks where !separated.contains(check.identity) { lines.append(check.clause) }
    var sql: SQLText = "CREATE \(keyword) \(name)"
    if let typeName { sql += " OF \(typeName)" }
    if !lines.isEmpty || typeName == nil {
      let body = lines.map { "    \($0)" as SQLText }.joined(separator: ",\n")
      sql += lines.isEmpty ? " (\n)" : " (\n\(body)\n)"
    }
    for clause in clauses { sql += "\n\(clause)" }
    return sql + ";\n" + alterations
  }

  /// Whether the column stands in the statement: a partition is made as a table of its own, with
  /// its own order of columns, and attached.
  func isDeclared(_ column: TableColumn) -> Bool { column.isLocal || isPartition }

  /// nil for a column of a typed table that the type says all about.
  private func declaration(
    _ column: TableColumn, _ separated: Set<ObjectIdentity>
  ) -> SQLText? {
    var options = SQLText()
    if typeName == nil {
      options += " \(column.type)"
      if let collation = column.collation { options += " COLLATE \(collation)" }
    }
    if !column.foreignOptions.isEmpty {
      options += " OPTIONS (\(OptionList.foreign(column.foreignOptions)))"
    }
    let defaultIdentity = ObjectIdentity(.columnDefault, column.expressionOID)
    if let expression = column.expression, !separated.contains(defaultIdentity) {
      switch column.generated {
      case "s": options += " GENERATED ALWAYS AS (\(expression)) STORED"
      case "v": options += " GENERATED ALWAYS AS (\(expression))"
      default: options += " DEFAULT \(expression)"
      }
    }
    options += notNullClause(column)
    guard typeName != nil else { return "\(column.name.quotedIdentifier)\(options)" }
    return options.isEmpty ? nil : "\(column.name.quotedIdentifier) WITH OPTIONS\(options)"
  }

  private func notNullClause(_ column: TableColumn) -> SQLText {
    guard column.isNotNull else { return "" }
    guard let constraint = column.notNull else { return " NOT NULL" }
    guard constraint.isValid, constraint.isLocal || isPartition else { return "" }
    var clause: SQLText = " NOT NULL"
    if constraint.isShared || !isUsualName(constraint.name, column) {
      clause = " CONSTRAINT \(constraint.name.quotedIdentifier) NOT NULL"
    }
    return constraint.isNoInherit ? clause + " NO INHERIT" : clause
  }

  /// The server names a constraint after table and column when it is made without a name.
  private func isUsualName(_ constraint: SQLText, _ column: TableColumn) -> Bool {
    guard constraint.bytes.count < 64 else { return false }
    let usual: SQLText = "\(bareName)_\(column.name)_not_null"
    return usual == constraint
  }

  /// The table's name without its schema.
  var bareName: SQLText = ""
}
