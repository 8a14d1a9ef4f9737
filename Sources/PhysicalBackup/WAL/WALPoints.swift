public import Postgres
import Repository

/// What the receiver noted of one segment: the server's clock against positions, the first and
/// last end of a transaction, and the points that have a name.
public struct WALPoints: Codable, Hashable, Sendable {
  public static let currentFormat = 1
  /// More named points than this in one segment are not kept.
  static let mostNamed = 1000
  /// Bytes; no object of points that we read is larger.
  static let largest = 32 << 20

  /// A moment and a position.
  public struct Pair: Codable, Hashable, Sendable {
    /// Microseconds since 1970-01-01 00:00 UTC, by the server's clock.
    public var time: Int64
    public var position: String

    public init(time: ServerTime, position: LSN) {
      self.time = time.unixMicroseconds
      self.position = position.description
    }

    public var lsn: LSN { LSN(position) ?? .zero }
    public var serverTime: ServerTime { ServerTime(unixMicroseconds: time) }
  }

  /// A restore point, or a logical message that is pgkeep's.
  public struct Named: Codable, Hashable, Sendable {
    public enum Kind: String, Codable, Hashable, Sendable {
      case restorePoint = "restore-point"
      case message
    }

    public var kind: Kind
    /// The restore point's name, or the message's prefix.
    public var name: String
    /// The message's text; nil for a restore point.
    public var content: String?
    /// A restore point has a time of its own; a message has that of the newest transaction before.
    public var time: Int64?
    /// Where the record begins.
    public var position: String

    public var lsn: LSN { LSN(position) ?? .zero }
    public var serverTime: ServerTime? { time.map { ServerTime(unixMicroseconds: $0) } }
  }

  public var format = Self.currentFormat
  public var segment: String
  /// When the server's clock said `time`, everything before `position` had arrived.
  public var clock: Pair?
  public var firstTransaction: Pair?
  public var lastTransaction: Pair?
  /// The latest time of a transaction's end; clocks may go back. Microseconds since 1970.
  public var latestTime: Int64?
  public var named: [Named] = []

  public init(_ segment: WALSegment) { self.segment = segment.name }

  /// Takes what the scanner found.
  ///
  /// - Parameter hidesText: points are not encrypted, so where WAL is, a migration's statements
  ///   do not go into them.
  mutating func note(_ finding: WALRecordScanner.Finding, hidesText: Bool = false) {
    switch finding {
    case .transactionEnd(let time, _, let position):
      let pair = Pair(time: time, position: position)
      if firstTransaction == nil { firstTransaction = pair }
      lastTransaction = pair
      latestTime = max(latestTime ?? pair.time, pair.time)
    case .restorePoint(let name, let time, let position):
      add(
        Named(
          kind: .restorePoint, name: name, content: nil, time: time.unixMicroseconds,
          position: position.description))
    case .message(let prefix, let content, let position):
      // Other programs send messages of their own, and many.
      guard prefix.hasPrefix("pgkeep") else { return }
      let text = String(decoding: content, as: UTF8.self)
      add(
        Named(
          kind: .message, name: prefix,
          content: hidesText ? MigrationPoint.withoutStatements(text) : text,
          time: lastTransaction?.time, position: position.description))
    }
  }

  private mutating func add(_ point: Named) {
    if named.count < Self.mostNamed { named.append(point) }
  }

  func encoded() throws -> [UInt8] { try StoredJSON.encode(self, pretty: false) }

  init(decoding bytes: [UInt8], key: String) throws {
    self = try StoredJSON.decode(WALPoints.self, bytes, key: key, newest: Self.currentFormat)
  }
}
