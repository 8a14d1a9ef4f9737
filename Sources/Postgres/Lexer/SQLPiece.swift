/// What ``SQLLexer`` finds in a file of SQL, in the file's order.
public enum SQLPiece {
  /// A whole statement. When it is a `COPY … FROM STDIN`, its rows come next.
  case statement(SQLStatement)
  /// Bytes of the rows of the last statement, newlines included, not cut at any particular place.
  /// They are valid until the handler returns.
  case copyData(UnsafeRawBufferPointer)
  /// The line `\.` after the rows of the last statement.
  case copyEnd
  /// A backslash where psql would take a command of its own.
  case metacommand(SQLMetacommand)
}

/// A psql command in a file of SQL: `\connect other`.
public struct SQLMetacommand: Hashable, Sendable {
  /// From its backslash to the end of the line.
  public var text: SQLText
  public var start: SQLPosition
  /// Whether it stands in the middle of a statement. That statement's text then lacks it.
  public var isInsideStatement: Bool

  /// What follows the backslash up to the first white space: `connect`.
  public var name: String {
    let word = text.bytes.dropFirst().prefix { !SQLLexer.isSpace($0) }
    return String(decoding: word, as: UTF8.self)
  }

  /// The words after the name.
  public var arguments: [String] {
    text.bytes.dropFirst().split(whereSeparator: SQLLexer.isSpace).dropFirst()
      .map { String(decoding: $0, as: UTF8.self) }
  }
}
