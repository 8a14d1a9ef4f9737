import ObjectStore
public import Postgres

/// Which segments, pieces and histories an archive holds, at the moment of listing.
public struct WALListing: Sendable {
  /// A stretch of the log on one timeline without a gap.
  public struct Range: Hashable, Sendable {
    public var timeline: UInt32
    public var start: LSN
    public var end: LSN
  }

  public let segmentSize: Int
  /// Whole segments' numbers, by timeline, in order.
  public internal(set) var segments: [UInt32: [UInt64]] = [:]
  /// Pieces of segments that are not whole, in the order of their ranges.
  public internal(set) var pieces: [WALSegment: [WALPiece]] = [:]
  /// Timelines with a history file.
  public internal(set) var histories: Set<UInt32> = []
  /// Bytes as stored.
  public internal(set) var size = 0
  private var whole: Set<WALSegment> = []

  init(segmentSize: Int) { self.segmentSize = segmentSize }

  /// Takes one object of the listing.
  mutating func add(_ info: ObjectInfo, layout: ClusterLayout) {
    let parts = info.key.dropFirst(layout.walPrefix.count).split(separator: "/")
    guard parts.count == 2 else { return }
    let name = parts[1]
    size += info.size
    if let timeline = TimelineHistory.timeline(ofFile: name) {
      histories.insert(timeline)
    } else if let piece = WALPiece(fileName: name, segmentSize: segmentSize) {
      pieces[piece.segment, default: []].append(piece)
    } else if name.hasSuffix(".gz"),
      let segment = WALSegment(name: name.dropLast(3), size: segmentSize)
    {
      segments[segment.timeline, default: []].append(segment.number)
      whole.insert(segment)
    }
  }

  /// Puts everything in order, once all is added.
  mutating func finish() {
    for timeline in segments.keys { segments[timeline]?.sort() }
    for segment in pieces.keys {
      pieces[segment]?.sort {
        ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound)
      }
    }
  }

  public func isWhole(_ segment: WALSegment) -> Bool { whole.contains(segment) }

  /// The pieces that make up a segment from its beginning on as far as possible, in order.
  public func chain(_ segment: WALSegment) -> [WALPiece] {
    var chain: [WALPiece] = []
    var end = 0
    let all = pieces[segment] ?? []
    while true {
      let next = all.filter { $0.range.lowerBound <= end && $0.range.upperBound > end }
        .max { $0.range.upperBound < $1.range.upperBound }
      guard let next else { return chain }
      chain.append(next)
      end = next.range.upperBound
    }
  }

  /// How many bytes of a segment from its beginning on are stored.
  public func available(_ segment: WALSegment) -> Int {
    whole.contains(segment) ? segment.size : chain(segment).last?.range.upperBound ?? 0
  }

  /// All timelines that have WAL, in order.
  public var timelines: [UInt32] {
    Set(segments.keys).union(pieces.keys.map(\.timeline)).sorted()
  }

  /// The stretches of a timeline without a gap, in order.
  public func ranges(timeline: UInt32) -> [Range] {
    var numbers = Set(segments[timeline] ?? [])
    for segment in pieces.keys where segment.timeline == timeline { numbers.insert(segment.number) }
    var ranges: [Range] = []
    for number in numbers.sorted() {
      let segment = WALSegment(timeline: timeline, number: number, size: segmentSize)
      let available = available(segment)
      guard available > 0 else { continue }
      let end = segment.start + available
      if let last = ranges.last, last.end == segment.start {
        ranges[ranges.count - 1].end = end
      } else {
        ranges.append(Range(timeline: timeline, start: segment.start, end: end))
      }
    }
    return ranges
  }

  /// Where the stored WAL of a timeline ends; nil when there is none.
  public func end(timeline: UInt32) -> LSN? { ranges(timeline: timeline).last?.end }
}
