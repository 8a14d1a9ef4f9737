/// One statement of a file of SQL, as psql would send it.
public struct SQLStatement: Hashable, Sendable {
  /// From the first byte of its first token to its semicolon, comments in between included.
  public var text: SQLText
  /// Where its first token is.
  public var start: SQLPosition
  /// Its leading unquoted words in lower case, at most eight, up to the first token that is
  /// not one: `["create", "unique", "index", "concurrently", "i", "on", "t"]`.
  public var words: [String]
  /// False for the last statement of a file that ends without a semicolon.
  public var endsWithSemicolon: Bool
  /// Whether it is a `COPY … FROM STDIN`, so that its rows follow in the file.
  public var isCopyFromStdin: Bool

  /// The bytes that it takes in the file.
  public var range: Range<Int> { start.offset..<(start.offset + text.bytes.count) }

  /// Whether it begins, ends or divides a transaction: `BEGIN`, `COMMIT`, `SAVEPOINT`, ….
  public var isTransactionControl: Bool {
    switch words.first {
    case "begin", "commit", "end", "rollback", "abort", "savepoint", "release": true
    case "start", "prepare": words.count > 1 && words[1] == "transaction"
    default: false
    }
  }

  /// Whether its first words are these, given in lower case.
  public func begins(with first: String...) -> Bool { words.starts(with: first) }

  /// Where in the file a character of the statement is.
  ///
  /// - Parameter character: from 1, as servers give it in ``ServerMessage/position``.
  public func position(ofCharacter character: Int) -> SQLPosition {
    var position = start
    var left = character - 1
    for byte in text.bytes {
      if byte & 0xC0 != 0x80 {
        if left <= 0 { break }
        left -= 1
      }
      position.advance(over: byte)
    }
    return position
  }
}
