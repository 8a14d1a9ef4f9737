public import Postgres

/// A table whose rows belong into a backup.
public struct TableData: Sendable {
  public var oid: UInt32
  public var schema: SQLText
  public var name: SQLText
  /// Columns that carry rows' values, in order: all but generated ones. Empty for a table without
  /// columns, which can still have rows.
  public var columns: [SQLText]
  /// Size at the last VACUUM or ANALYZE, in pages of the server's block size.
  public var pages: Int
  /// Rows at the last VACUUM or ANALYZE; -1 when never counted.
  public var estimatedRows: Double
  /// Rows are in no WAL: a standby cannot read them.
  public var isUnlogged: Bool
  /// Row security is on, so that rows may be hidden from a role that it binds.
  public var hasRowSecurity: Bool
  /// For an extension's configuration table: `WHERE …`, empty when all its rows are to be kept.
  public var extensionCondition: SQLText?
  /// Tables that this one's foreign keys point to, by OID.
  public var references: [UInt32]
  /// Whether `ctid` ranges can be read apart: the table is a heap.
  public var isHeap: Bool

  public var qualifiedName: SQLText { .qualified(schema, name) }
}
