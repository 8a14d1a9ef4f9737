public import Postgres

/// How to reach a target: which base backup, which WAL, which settings.
public struct RecoveryPlan: Sendable {
  /// Where PostgreSQL is told to stop.
  public enum Stop: Hashable, Sendable {
    /// At the end of the WAL.
    case end
    /// As soon as the backup is consistent.
    case consistent
    /// Before the first transaction that ended later.
    case time(ServerTime)
    /// At a position: behind the record that begins there, or before it.
    case position(LSN, inclusive: Bool)
  }

  public var target: RecoveryTarget
  public var base: BaseManifest
  public var timeline: UInt32
  public var stop: Stop
  /// The segments that recovery will ask for, in order.
  public var segments: [WALSegment]
  /// How far WAL is stored without a gap.
  public var covered: LSN
  /// What a person should know, such as that a quiet moment is reached by a position.
  public var remarks: [String] = []

  /// The recovery settings for `postgresql.auto.conf`, without `restore_command`.
  public var settings: [(name: String, value: String)] {
    var settings = [("recovery_target_timeline", "\(timeline)")]
    switch stop {
    case .end: break
    case .consistent: settings.append(("recovery_target", "immediate"))
    case .time(let time): settings.append(("recovery_target_time", RecoveryTime.text(time)))
    case .position(let position, let inclusive):
      settings.append(("recovery_target_lsn", position.description))
      settings.append(("recovery_target_inclusive", inclusive ? "on" : "off"))
    }
    return settings
  }
}
