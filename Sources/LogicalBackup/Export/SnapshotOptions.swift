import Schema

/// How patiently a snapshot is taken.
public struct SnapshotOptions: Sendable {
  /// The longest wait, in all, for locks that others hold.
  public var lockWait: Duration = .seconds(60)
  /// Which tables are locked.
  var filter = SchemaFilter()
  /// How often to start again when tables come and go, or the schema changes, meanwhile.
  public var rounds = 10

  public init() {}
}
