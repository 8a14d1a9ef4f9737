/// What an export wrote.
public struct ExportResult: Sendable {
  public var facts: BackupFacts
  /// Each table with its rows and their hash.
  public var tables: [TableRecord]
  public var totals: IndexTotals
  /// Bytes of the file.
  public var size: Int
  /// Where in it the index begins.
  public var indexOffset: Int
}
