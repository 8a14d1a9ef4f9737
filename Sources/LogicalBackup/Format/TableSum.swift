import Glibc

/// What a table's rows add up to, in whatever order they come: how many, and the sum of their
/// hashes. Two tables with the same rows have the same sum.
public struct TableSum: Hashable, Sendable {
  public var rows = 0
  /// The rows' ``RowHash``es, added modulo 2^64.
  public var hash: UInt64 = 0
  /// Bytes of the rows' COPY text, newlines included.
  public var bytes = 0

  public init() {}

  public init(rows: Int, hash: UInt64, bytes: Int) {
    self.rows = rows
    self.hash = hash
    self.bytes = bytes
  }

  /// Adds rows in COPY's text format, each of which ends in a newline.
  ///
  /// - Throws: ``LogicalBackupError/Code/damaged`` when the last row has no newline.
  public mutating func add(rows text: UnsafeRawBufferPointer) throws {
    guard let start = text.baseAddress, text.count > 0 else { return }
    var cursor = start
    let end = start + text.count
    var sum: UInt64 = 0
    var count = 0
    while cursor < end {
      guard let newline = memchr(cursor, 10, end - cursor) else {
        throw LogicalBackupError(.damaged, "A row of COPY text has no end.")
      }
      sum &+= RowHash.hash(cursor, UnsafeRawPointer(newline) - cursor)
      count += 1
      cursor = UnsafeRawPointer(newline) + 1
    }
    rows += count
    hash &+= sum
    bytes += text.count
  }

  /// Adds what others have counted.
  public static func += (left: inout TableSum, right: TableSum) {
    left.rows += right.rows
    left.hash &+= right.hash
    left.bytes += right.bytes
  }

  /// Rows and hash: what two databases must agree on. Bytes follow from them.
  public func proves(_ other: TableSum) -> Bool { rows == other.rows && hash == other.hash }
}
