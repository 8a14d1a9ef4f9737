import Postgres

/// Writes `CREATE INDEX` for indexes on plain columns, in the words of `pg_get_indexdef()`.
///
/// An operator class that is the default for a type only by a detour (for a domain over text, say)
/// is named where the server would not name it.
struct IndexWriter {
  private let facts: IndexFacts
  private let columns: [UInt32: [TableColumn]]
  /// Methods and types that have a default operator class of their own.
  private let defaults: Set<Default>

  private struct Default: Hashable {
    var method: UInt32
    var type: UInt32
  }

  // OIDs that are the same in all versions (src/include/catalog/pg_type.dat).
  private static let text: UInt32 = 25
  private static let varchar: UInt32 = 1043
  private static let anyArray: UInt32 = 2277
  private static let anyEnum: UInt32 = 3500
  private static let anyRange: UInt32 = 3831

  init(_ facts: IndexFacts, columns: [UInt32: [TableColumn]]) {
    self.facts = facts
    self.columns = columns
    defaults = Set(
      facts.operatorClasses.values.filter(\.isDefault).map {
        Default(method: $0.method, type: $0.type)
      })
  }

  /// The statement without its semicolon; nil when something is not known.
  func definition(_ row: IndexFacts.Row, _ table: RelationRow) -> SQLText? {
    if let definition = facts.definitions[row.oid] ?? row.definition { return definition }
    guard let method = facts.methods[row.method], row.keyCount <= row.columns.count,
      row.classes.count >= row.keyCount, row.collations.count >= row.keyCount,
      row.directions.count >= row.keyCount
    else { return nil }
    var sql: SQLText = "CREATE "
    if row.isUnique { sql += "UNIQUE " }
    sql += "INDEX "
    sql += row.name.quotedIdentifier
    sql += table.kind == "p" ? " ON ONLY " : " ON "
    sql += table.qualifiedName
    sql += " USING "
    sql += method.quotedIdentifier
    let columns = columns[row.table] ?? []
    for (position, number) in row.columns.enumerated() {
      guard let column = columns.column(number) else { return nil }
      sql += position == 0 ? " (" : position == row.keyCount ? ") INCLUDE (" : ", "
      sql += column.name.quotedIdentifier
      guard position < row.keyCount else { continue }
      let collation = row.collations[position]
      if collation != 0, collation != column.collationOID {
        guard let name = facts.collations[collation] else { return nil }
        sql += " COLLATE \(name)"
      }
      guard let operatorClass = facts.operatorClasses[row.classes[position]] else { return nil }
      if !isUnderstood(operatorClass, column) { sql += " \(operatorClass.qualifiedName)" }
      let isDescending = row.directions[position] & 1 != 0
      let isNullsFirst = row.directions[position] & 2 != 0
      if isDescending { sql += " DESC" }
      if isDescending != isNullsFirst { sql += isNullsFirst ? " NULLS FIRST" : " NULLS LAST" }
    }
    sql += ")"
    if row.isNullsNotDistinct { sql += " NULLS NOT DISTINCT" }
    if !row.options.isEmpty { sql += " WITH (\(OptionList.storage(row.options)))" }
    return sql
  }

  /// Whether the class is what the server takes for the column's type by itself.
  private func isUnderstood(
    _ operatorClass: IndexFacts.OperatorClass, _ column: TableColumn
  ) -> Bool {
    guard operatorClass.isDefault else { return false }
    if operatorClass.type == column.typeOID { return true }
    if defaults.contains(Default(method: operatorClass.method, type: column.typeOID)) {
      return false
    }
    switch operatorClass.type {
    case Self.text: return column.typeOID == Self.varchar
    case Self.anyArray: return column.typeCategory == "A"
    case Self.anyEnum: return column.typeKind == "e"
    case Self.anyRange: return column.typeKind == "r"
    default: return false
    }
  }
}
