/// Where a timeline comes from: the content of a `.history` file (PostgreSQL documentation,
/// section 26.3.6).
public struct TimelineHistory: Hashable, Sendable {
  /// An ancestor, and where it was left.
  public struct Ancestor: Hashable, Sendable {
    public var timeline: UInt32
    /// The first position that belongs to the next timeline.
    public var end: LSN

    public init(timeline: UInt32, end: LSN) {
      self.timeline = timeline
      self.end = end
    }
  }

  public var timeline: UInt32
  /// The oldest first.
  public var ancestors: [Ancestor]

  public init(timeline: UInt32, ancestors: [Ancestor] = []) {
    self.timeline = timeline
    self.ancestors = ancestors
  }

  /// Reads a history file.
  ///
  /// - Throws: ``PostgresError/Code/unexpectedAnswer`` when a line is malformed, or when the
  ///   timelines or their ends do not grow.
  public init(timeline: UInt32, file: [UInt8]) throws {
    self.init(timeline: timeline)
    for line in String(decoding: file, as: UTF8.self).split(whereSeparator: \.isNewline) {
      let fields = line.split(
        maxSplits: 2, omittingEmptySubsequences: true, whereSeparator: { $0 == " " || $0 == "\t" })
      guard let first = fields.first, !first.hasPrefix("#") else { continue }
      guard fields.count >= 2, let number = UInt32(first), let end = LSN(fields[1]) else {
        throw Self.malformed(timeline, "the line \"\(line)\" is not TIMELINE LSN REASON")
      }
      if let last = ancestors.last, last.timeline >= number || last.end > end {
        throw Self.malformed(timeline, "timeline \(number) stands after \(last.timeline)")
      }
      ancestors.append(Ancestor(timeline: number, end: end))
    }
    if let last = ancestors.last, last.timeline >= timeline {
      throw Self.malformed(timeline, "it names timeline \(last.timeline) as an ancestor")
    }
  }

  /// The file's name: `00000002.history`.
  public var fileName: String { WALSegment.timelineName(timeline) + ".history" }

  /// Reads a history file's name; nil when it is not one.
  public static func timeline(ofFile name: some StringProtocol) -> UInt32? {
    guard name.hasSuffix(".history"), name.utf8.count == 16 else { return nil }
    return UInt32(name.prefix(8), radix: 16)
  }

  /// Which timeline the byte at `position` is on, seen from this one.
  public func timeline(at position: LSN) -> UInt32 {
    ancestors.first { position < $0.end }?.timeline ?? timeline
  }

  /// Where this history leaves a timeline; nil for its own, and for one that is not in it.
  public func end(of ancestor: UInt32) -> LSN? {
    ancestors.first { $0.timeline == ancestor }?.end
  }

  /// Whether a timeline is this one or one of its ancestors.
  public func contains(_ other: UInt32) -> Bool {
    other == timeline || ancestors.contains { $0.timeline == other }
  }

  /// All timelines from the oldest on, each with its first position and, but for the last, its end.
  public var steps: [(timeline: UInt32, start: LSN, end: LSN?)] {
    var start = LSN.zero
    var steps: [(timeline: UInt32, start: LSN, end: LSN?)] = []
    for ancestor in ancestors {
      steps.append((ancestor.timeline, start, ancestor.end))
      start = ancestor.end
    }
    steps.append((timeline, start, nil))
    return steps
  }

  private static func malformed(_ timeline: UInt32, _ what: String) -> PostgresError {
    PostgresError(
      .unexpectedAnswer,
      "The history file of timeline \(timeline) cannot be read: \(what).")
  }
}
