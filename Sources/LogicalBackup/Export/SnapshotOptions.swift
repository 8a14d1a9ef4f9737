import Glibc
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

  /// A pause after an attempt that a change of the schema undid, longer from attempt to attempt, so
  /// that a migration's next statements do not undo all of them: 25 ms at first, 0.8 s at most.
  static func pause(after round: Int) {
    usleep(25_000 << UInt32(min(round, 5)))
  }
}
