/// How far an export has come.
public struct ExportProgress: Hashable, Sendable {
  public enum Phase: String, Hashable, Sendable {
    /// Waiting for the tables' locks.
    case locking
    /// Reading the catalogs.
    case schema
    /// Reading rows and large objects.
    case rows
    /// Writing sequences, indexes, constraints and the index.
    case finishing
  }

  public var phase: Phase = .locking
  /// About how many bytes of tables there are to read, on the server's disk.
  public var expectedBytes = 0
  /// How many of those have been read.
  public var readBytes = 0
  /// Bytes of text so far.
  public var textBytes = 0
  /// Bytes given to the store so far.
  public var writtenBytes = 0
  public var rows = 0
  public var tables = 0
  public var tablesDone = 0

  public init() {}
}
