public import Postgres

/// WAL that is not stored: no moment in it can be reached, nor one behind it before the end of the
/// next base backup.
public struct WALGap: Hashable, Sendable, CustomStringConvertible {
  public var timeline: UInt32
  /// The first byte that is missing.
  public var start: LSN
  /// Behind the last one.
  public var end: LSN

  public init(timeline: UInt32, start: LSN, end: LSN) {
    self.timeline = timeline
    self.start = start
    self.end = end
  }

  public var description: String {
    "timeline \(timeline): WAL from \(start) to \(end) is missing"
  }
}
