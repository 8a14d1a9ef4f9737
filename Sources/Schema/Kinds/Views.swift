import Postgres

/// `CREATE VIEW`.
enum Views {
  /// A view, or, to break a circle, one with the same columns and no rows that is replaced later.
  struct Definition: ObjectDefinition {
    var identity: ObjectIdentity
    var whole: SQLText
    var placeholder: SQLText

    func sql(without separated: Set<ObjectIdentity>) -> SQLText {
      separated.contains(identity) ? placeholder : whole
    }
  }

  static func objects(_ row: RelationRow, _ context: Relations.Context) -> [SchemaObject] {
    let columns = context.columns[row.oid] ?? []
    let options = row.optionClause(without: ["check_option"]).map { " \($0)" as SQLText } ?? ""
    var query = row.query ?? ""
    if query.hasSuffix(";") { query.bytes.removeLast() }
    if let check = row.options.map(OptionList.split).first(where: { $0.name == "check_option" }) {
      query += "\n  WITH \(check.value == "local" ? "LOCAL" : "CASCADED") CHECK OPTION"
    }
    let apart = ObjectIdentity(.relation, row.oid, column: SchemaObject.query)
    let empty = columns.map { column -> SQLText in
      let collation = column.collation.map { " COLLATE \($0)" as SQLText } ?? ""
      return "    NULL::\(column.type)\(collation) AS \(column.name.quotedIdentifier)"
    }
    let definition = Definition(
      identity: apart,
      whole: "CREATE VIEW \(row.qualifiedName)\(options) AS\n\(query);\n",
      placeholder: """
        CREATE VIEW \(row.qualifiedName) AS
        SELECT
        \(empty.joined(separator: ",\n"));

        """)
    var object = row.object(.view, columns, definition)
    object.parts = [
      SchemaObject.Part(
        identity: apart, kind: .viewDefinition, name: row.name,
        sql: "CREATE OR REPLACE VIEW \(row.qualifiedName)\(options) AS\n\(query);\n",
        isAlwaysApart: context.selfReading.contains(row.oid))
    ]
    return [object] + defaults(row, columns)
  }

  /// Defaults of a view's columns, for rows that are inserted through it.
  private static func defaults(_ row: RelationRow, _ columns: [TableColumn]) -> [SchemaObject] {
    columns.compactMap { column in
      guard let expression = column.expression else { return nil }
      var object = SchemaObject(
        ObjectIdentity(.columnDefault, column.expressionOID), .columnDefault, schema: row.schema,
        name: "\(row.name) \(column.name)", owner: row.owner,
        definition: """
          ALTER VIEW \(row.qualifiedName) ALTER COLUMN \(column.name.quotedIdentifier) \
          SET DEFAULT \(expression);

          """ as SQLText)
      object.needs = [row.identity]
      object.tables = [row.oid]
      return object
    }
  }
}
