import Postgres

/// A table to read rows from: what its COPY statements are made of.
struct CopySource: Sendable {
  var schema: SQLText
  var name: SQLText
  /// The columns whose values are wanted; empty for a table without any, which has rows too.
  var columns: [SQLText]
  /// `WHERE …` where only some rows are wanted.
  var condition: SQLText?
  /// Bytes of the table itself, without TOAST; 0 when the table cannot be read in ranges.
  var mainBytes = 0
  /// Bytes with TOAST: what there is to read.
  var totalBytes = 0
  /// The table is locked and has no page, so no snapshot sees a row of it.
  var isEmpty = false

  var qualifiedName: SQLText { .qualified(schema, name) }

  /// The statement for all rows. The short form leaves out generated columns itself and is a
  /// little faster than a query.
  var copyAll: SQLText {
    if let condition, !condition.isEmpty { return query(condition) }
    let list = columns.map(\.quotedIdentifier).joined(separator: ", ")
    return "COPY \(qualifiedName)\(columns.isEmpty ? "" : " (\(list))") TO STDOUT"
  }

  /// The statement for the rows on a range of pages, to the table's end when `end` is nil.
  func copy(pages start: Int, to end: Int?) -> SQLText {
    var condition: SQLText = "WHERE ctid >= '(\(start),0)'"
    if let end { condition += " AND ctid < '(\(end),0)'" }
    return query(condition)
  }

  private func query(_ condition: SQLText) -> SQLText {
    let list = columns.map(\.quotedIdentifier).joined(separator: ", ")
    return "COPY (SELECT \(list) FROM ONLY \(qualifiedName) \(condition)) TO STDOUT"
  }
}
