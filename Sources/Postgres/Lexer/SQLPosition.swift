/// A place in a file of SQL.
public struct SQLPosition: Hashable, Sendable, CustomStringConvertible {
  /// Bytes before it in the file.
  public var offset: Int
  /// From 1.
  public var line: Int
  /// In characters, from 1.
  public var column: Int

  public init(offset: Int = 0, line: Int = 1, column: Int = 1) {
    self.offset = offset
    self.line = line
    self.column = column
  }

  public var description: String { "line \(line), column \(column)" }

  /// Moves over one byte. Bytes that continue a UTF-8 character do not move the column.
  @inline(__always)
  mutating func advance(over byte: UInt8) {
    offset += 1
    if byte == UInt8(ascii: "\n") {
      line += 1
      column = 1
    } else if byte & 0xC0 != 0x80 {
      column += 1
    }
  }
}
