/// A table whose rows are not those of the backup.
public struct TableMismatch: Sendable, CustomStringConvertible {
  /// The table as the backup's index tells it.
  public let table: TableRecord
  /// What is in the database now; nil when the table is not there.
  public let found: TableSum?

  public init(table: TableRecord, found: TableSum?) {
    self.table = table
    self.found = found
  }

  public var description: String {
    guard let found else { return "\(table.qualifiedName): the table is missing" }
    guard found.rows == table.sum.rows else {
      return "\(table.qualifiedName): \(found.rows) rows, the backup has \(table.sum.rows)"
    }
    return "\(table.qualifiedName): \(found.rows) rows as in the backup, but not the same ones"
  }
}
