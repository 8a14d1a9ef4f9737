/// One file of the write-ahead log: which timeline's, and which one of it.
///
/// Its name is 24 hexadecimal digits: the timeline, then the segment's number in two parts, split
/// by how many segments fit into 4 GiB (PostgreSQL, `XLogFileName`).
public struct WALSegment: Hashable, Sendable, CustomStringConvertible {
  /// What a server's `wal_segment_size` is unless `initdb` was told otherwise.
  public static let defaultSize = 16 << 20

  public var timeline: UInt32
  /// Counted from the beginning of the log.
  public var number: UInt64
  /// Bytes in a segment: a power of two from 1 MiB to 1 GiB.
  public var size: Int

  public init(timeline: UInt32, number: UInt64, size: Int) {
    self.timeline = timeline
    self.number = number
    self.size = size
  }

  /// The segment that holds the byte at `position`.
  public init(timeline: UInt32, holding position: LSN, size: Int) {
    self.init(timeline: timeline, number: position.rawValue / UInt64(size), size: size)
  }

  /// Reads a segment's name; nil when it is not one.
  public init?(name: some StringProtocol, size: Int) {
    let digits = Array(name.utf8)
    guard digits.count == 24, Self.isSize(size),
      digits.allSatisfy({ (0x30...0x39).contains($0) || (0x41...0x46).contains($0) })
    else { return nil }
    func part(_ range: Range<Int>) -> UInt64 {
      digits[range].reduce(0) { $0 << 4 | UInt64($1 <= 0x39 ? $1 - 0x30 : $1 - 0x37) }
    }
    let perLog = UInt64(1 << 32) / UInt64(size)
    guard part(0..<8) > 0, part(16..<24) < perLog else { return nil }
    self.init(
      timeline: UInt32(part(0..<8)), number: part(8..<16) * perLog + part(16..<24), size: size)
  }

  /// Whether a server can have segments of that many bytes.
  public static func isSize(_ size: Int) -> Bool {
    (1 << 20...1 << 30).contains(size) && size & (size - 1) == 0
  }

  /// The file's name: `000000010000000A000000FF`.
  public var name: String {
    let perLog = UInt64(1 << 32) / UInt64(size)
    return hexadecimal(UInt64(timeline), digits: 8) + hexadecimal(number / perLog, digits: 8)
      + hexadecimal(number % perLog, digits: 8)
  }

  /// Its first byte's position.
  public var start: LSN { LSN(rawValue: number * UInt64(size)) }
  /// The position behind its last byte.
  public var end: LSN { LSN(rawValue: (number + 1) * UInt64(size)) }

  /// The segment after it on the same timeline.
  public var next: WALSegment { WALSegment(timeline: timeline, number: number + 1, size: size) }

  public var description: String { name }

  /// A timeline as it stands in the names of files: eight hexadecimal digits.
  public static func timelineName(_ timeline: UInt32) -> String {
    hexadecimal(UInt64(timeline), digits: 8)
  }
}
