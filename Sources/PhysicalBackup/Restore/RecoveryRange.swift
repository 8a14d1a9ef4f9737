public import Postgres
public import Repository

/// A stretch of a timeline in which every moment can be reached.
public struct RecoveryRange: Hashable, Sendable, CustomStringConvertible {
  public var timeline: UInt32
  /// The base backup that it begins with.
  public var base: BackupID
  public var start: LSN
  public var end: LSN
  /// By the server's clock; nil where nothing was noted.
  public var startTime: ServerTime?
  public var endTime: ServerTime?

  public var description: String {
    let from = startTime.map { RecoveryTime.text($0) } ?? "\(start)"
    let to = endTime.map { RecoveryTime.text($0) } ?? "\(end)"
    return "timeline \(timeline): from \(from) (\(start)) to \(to) (\(end)), from base \(base)"
  }
}
