/// Splits a file of SQL into statements where psql would, with `standard_conforming_strings` on.
///
/// Bytes go in, in pieces of any size, and ``SQLPiece``s come out as soon as they are complete;
/// memory holds the statement being read, never the rows of a `COPY`. The rules are those of
/// PostgreSQL's scanner (documentation, "Lexical Structure", and psql's "Variables" and
/// "Meta-Commands"), with these differences, each of them for safety:
///
/// - psql's variables (`:name`) are not replaced.
/// - A file that ends inside a string, a comment or the rows of a COPY is an error.
/// - After `COPY … FROM STDIN;` the rest of the line may hold only a comment.
///
/// Any encoding that a PostgreSQL *server* can use is safe; columns count UTF-8 characters.
/// After an error the lexer must not be used again.
public final class SQLLexer {
  enum State {
    case normal, identifier, unicodePrefix, dash, slash, lineComment
    case blockComment, blockSlash, blockStar
    case string, escapeString, escapeBackslash, escapeQuote, quotedIdentifier
    case dollarTag, dollarBody, dollarMatch
    case metacommand, copyHead, copyHeadDash, copyHeadComment, copyData
  }

  /// Whether a backslash in a plain `'…'` is a plain character. Set it when a file says otherwise;
  /// it holds from the next string on.
  public var standardConformingStrings = true

  /// Takes each `--` comment that stands between statements, without its newline.
  public var onComment: ((SQLText) -> Void)?

  /// Where the next byte will be.
  public internal(set) var position = SQLPosition()

  var state = State.normal
  /// The statement being read: nil between statements.
  var statement: StatementBuilder?
  /// Whether all that was read of ``statement`` may still turn out to be a comment.
  var isTentative = false
  /// The word being read, in lower case, cut off where no keyword is as long.
  var word: [UInt8] = []
  /// Where the comment, string, dollar quote or metacommand that is being read began.
  var opening = SQLPosition()
  var commentDepth = 0
  var tag: [UInt8] = []
  var tagMatched = 0
  /// After an `E'…'`: whether a newline has come since, so that a quote would continue it.
  var continuation = Continuation.none
  var metacommand: [UInt8] = []
  /// The comment being read, where somebody wants it.
  var comment: [UInt8]?
  /// How many bytes of `\.` and a carriage return begin the current line of rows.
  var endMarkMatched = 0
  /// In rows: whether the next byte, or the end mark being matched, begins a line.
  var isAtLineStart = false
  /// How many bytes of a byte order mark begin the file; nil once that is known.
  var byteOrderMark: Int? = 0

  enum Continuation { case none, sameLine, nextLine }

  public init() {}

  /// Takes the next bytes of the file and hands over what they complete.
  ///
  /// - Throws: ``PostgresError/Code/invalidScript``, or what `handler` throws.
  public func feed(
    _ bytes: UnsafeRawBufferPointer, _ handler: (SQLPiece) throws -> Void
  ) throws {
    var index = try skipByteOrderMark(bytes, handler)
    // What of `bytes` belongs to the statement and has not been appended to it yet.
    var runStart = index
    while index < bytes.count {
      switch state {
      case .copyData, .copyHead, .copyHeadDash, .copyHeadComment:
        index = try readRows(bytes, from: index, handler)
        runStart = index
        continue
      default: break
      }
      let byte = bytes[index]
      switch step(byte) {
      case .take:
        position.advance(over: byte)
        index += 1
      case .again: continue
      case .start:
        runStart = index
        statement = StatementBuilder(start: position)
      case .end:
        position.advance(over: byte)
        index += 1
        append(bytes[runStart..<index])
        try complete(handler)
      case .beginMetacommand:
        append(bytes[runStart..<index])
        opening = position
        metacommand = []
        state = .metacommand
      case .endMetacommand:
        runStart = index
        try completeMetacommand(handler)
      }
    }
    if state != .metacommand { append(bytes[runStart..<index]) }
  }

  /// Takes bytes of the file.
  public func feed(_ bytes: [UInt8], _ handler: (SQLPiece) throws -> Void) throws {
    try bytes.withUnsafeBytes { try feed($0, handler) }
  }

  /// Says that the file ends here. A last statement without a semicolon is handed over.
  public func finish(_ handler: (SQLPiece) throws -> Void) throws {
    if let matched = byteOrderMark, matched > 0 {
      byteOrderMark = nil
      try feed(Array([0xEF, 0xBB][..<matched]), handler)
    }
    switch state {
    case .metacommand: try completeMetacommand(handler)
    case .blockComment, .blockSlash, .blockStar: throw unterminated("comment")
    case .string, .escapeString, .escapeBackslash: throw unterminated("string")
    case .quotedIdentifier: throw unterminated("quoted name")
    case .dollarBody, .dollarMatch: throw unterminated("dollar-quoted string")
    case .copyHead, .copyHeadDash, .copyHeadComment: throw unterminatedRows()
    case .copyData: return try finishRows(handler)
    case .identifier, .unicodePrefix, .dollarTag: endWord()
    case .normal, .dash, .slash, .lineComment, .escapeQuote: break
    }
    endComment()
    if statement != nil { try complete(handler, endsWithSemicolon: false) }
  }

  static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }
}
