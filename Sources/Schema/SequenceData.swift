public import Postgres

/// A sequence, whose value belongs into a backup.
public struct SequenceData: Sendable {
  public var oid: UInt32
  public var schema: SQLText
  public var name: SQLText
  public var isUnlogged: Bool
  /// Set by `SchemaReader.readSequenceValues`; nil where it cannot be read.
  public var lastValue: Int?
  public var isCalled: Bool

  public var qualifiedName: SQLText { .qualified(schema, name) }

  /// `SELECT pg_catalog.setval(…);` and a newline; nil when no value was read.
  public var sql: SQLText? {
    guard let lastValue else { return nil }
    return """
      SELECT pg_catalog.setval(\(qualifiedName.quotedLiteral), \(lastValue), \(String(isCalled)));

      """
  }
}
