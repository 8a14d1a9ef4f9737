/// How patiently a snapshot is taken.
public struct SnapshotOptions: Sendable {
  /// The longest wait, in all, for locks that others hold.
  public var lockWait: Duration = .seconds(60)
  /// How often to start again when tables come and go, or the schema changes, meanwhile.
  public var rounds = 10

  public init() {}
}
