import Postgres

/// Names of not-null constraints that another table of the schema uses too (18 and later), as
/// `CREATE TABLE … (LIKE …)` and partitions do.
enum SharedNames {
  private struct Name: Hashable {
    var schema: SQLText
    var name: SQLText
  }

  /// - Returns: the columns, with ``TableColumn/NotNull/isShared`` where it applies.
  static func marked(
    _ facts: RelationFacts, _ rows: [RelationRow]
  ) -> [UInt32: [TableColumn]] {
    var uses: [Name: Int] = [:]
    func names(_ row: RelationRow) -> [SQLText] {
      let constraints = (facts.columns[row.oid] ?? []).compactMap(\.notNull)
        .filter { $0.isLocal || row.isPartition }
      return constraints.map(\.name) + (facts.checks[row.oid] ?? []).map(\.name)
    }
    for row in rows {
      for name in names(row) { uses[Name(schema: row.schema, name: name), default: 0] += 1 }
    }
    guard uses.values.contains(where: { $0 > 1 }) else { return facts.columns }
    var columns = facts.columns
    for row in rows {
      for index in (columns[row.oid] ?? []).indices {
        guard let name = columns[row.oid]?[index].notNull?.name else { continue }
        let isShared = uses[Name(schema: row.schema, name: name), default: 0] > 1
        columns[row.oid]?[index].notNull?.isShared = isShared
      }
    }
    return columns
  }
}
