public import Postgres

/// A part of a segment that was stored before the segment was whole: an immutable object, which
/// the whole segment supersedes.
public struct WALPiece: Hashable, Sendable {
  public var segment: WALSegment
  /// Bytes from the segment's beginning.
  public var range: Range<Int>

  public init(segment: WALSegment, range: Range<Int>) {
    self.segment = segment
    self.range = range
  }

  /// `<segment>.<from>-<to>.gz`, the offsets with eight hexadecimal digits.
  var fileName: String {
    "\(segment.name).\(Self.digits(range.lowerBound))-\(Self.digits(range.upperBound)).gz"
  }

  /// Reads a piece's file name; nil when it is not one.
  init?(fileName: some StringProtocol, segmentSize: Int) {
    let parts = fileName.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 3, parts[2] == "gz",
      let segment = WALSegment(name: parts[0], size: segmentSize)
    else { return nil }
    let offsets = parts[1].split(separator: "-", omittingEmptySubsequences: false)
    guard offsets.count == 2, offsets.allSatisfy({ $0.utf8.count == 8 }),
      let from = Int(offsets[0], radix: 16), let to = Int(offsets[1], radix: 16),
      0 <= from, from < to, to <= segmentSize
    else { return nil }
    self.init(segment: segment, range: from..<to)
    guard self.fileName == String(fileName) else { return nil }
  }

  private static func digits(_ offset: Int) -> String {
    let text = String(offset, radix: 16, uppercase: true)
    return String(repeating: "0", count: max(0, 8 - text.utf8.count)) + text
  }
}
