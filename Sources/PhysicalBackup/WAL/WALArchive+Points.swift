public import ByteStream
import ObjectStore
import Postgres

extension WALArchive {
  /// Objects of points that are read at once: each is small, so it is the way there and back that
  /// takes the time.
  private static let pointsReaders = 16

  /// The segments that something was noted of, by timeline and position.
  func segmentsWithPoints() throws -> [WALSegment] {
    var segments: [WALSegment] = []
    try store.list(prefix: layout.pointsPrefix) { info in
      if let segment = layout.segment(ofPoints: info.key, size: segmentSize) {
        segments.append(segment)
      }
    }
    return segments.sorted { ($0.timeline, $0.number) < ($1.timeline, $1.number) }
  }

  /// What was noted of some segments, in their order.
  func points(of segments: [WALSegment], cancellation: Cancellation) throws -> [WALPoints] {
    struct State {
      var next = 0
      var points: [WALPoints?]
    }
    let state = Monitor(State(points: Array(repeating: nil, count: segments.count)))
    let group = ThreadGroup(following: cancellation)
    for number in 0..<min(Self.pointsReaders, segments.count) {
      group.start("points-\(number + 1)") {
        while true {
          try group.cancellation.check()
          let index = state.update { state in
            defer { state.next += 1 }
            return state.next
          }
          guard index < segments.count else { return }
          let key = layout.pointsKey(segments[index])
          let bytes = try store.readAll(
            key, limit: WALPoints.largest, cancellation: group.cancellation)
          let points = try WALPoints(decoding: bytes, key: key)
          state.update { $0.points[index] = points }
        }
      }
    }
    try group.join()
    return state.update { $0.points.compactMap { $0 } }
  }

  /// Everything that was noted, by timeline and position.
  public func points(cancellation: Cancellation = Cancellation()) throws -> [WALPoints] {
    try points(of: segmentsWithPoints(), cancellation: cancellation)
  }
}
