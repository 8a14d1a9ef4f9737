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
  private var isTentative = false
  /// The word being read, in lower case, cut off where no keyword is as long.
  private var word: [UInt8] = []
  /// Where the comment, string, dollar quote or metacommand that is being read began.
  var opening = SQLPosition()
  private var commentDepth = 0
  private var tag: [UInt8] = []
  private var tagMatched = 0
  /// After an `E'…'`: whether a newline has come since, so that a quote would continue it.
  private var continuation = Continuation.none
  private var metacommand: [UInt8] = []
  /// The comment being read, where somebody wants it.
  private var comment: [UInt8]?
  /// How many bytes of `\.` and a carriage return begin the current line of rows.
  var endMarkMatched = 0
  /// In rows: whether the next byte, or the end mark being matched, begins a line.
  var isAtLineStart = false
  /// How many bytes of a byte order mark begin the file; nil once that is known.
  private var byteOrderMark: Int? = 0

  private enum Continuation { case none, sameLine, nextLine }

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

  // MARK: The state machine

  private enum Step {
    /// The byte is read.
    case take
    /// The state has changed; look at the byte again.
    case again
    /// A statement begins at this byte; look at it again.
    case start
    /// The byte is the semicolon that ends the statement.
    case end
    case beginMetacommand, endMetacommand
  }

  private func step(_ byte: UInt8) -> Step {
    switch state {
    case .normal: return stepNormal(byte)
    case .identifier:
      if Self.isIdentifierPart(byte) {
        appendToWord(byte)
        return .take
      }
      if word.count == 1 {
        if byte == Self.quote, word[0] == UInt8(ascii: "e") { return openString(.escapeString) }
        if byte == Self.quote, word[0] == UInt8(ascii: "b") || word[0] == UInt8(ascii: "x") {
          return openString(.string)
        }
        if byte == UInt8(ascii: "&"), word[0] == UInt8(ascii: "u") {
          state = .unicodePrefix
          return .take
        }
      }
      endWord()
      state = .normal
      return .again
    case .unicodePrefix:
      if byte == Self.quote { return openString(.string) }
      endWord()
      statement?.endsWords()
      state = .normal
      return .again
    case .dash:
      if byte == UInt8(ascii: "-") { return enterComment(.lineComment) }
      return leaveOperator()
    case .slash:
      if byte == UInt8(ascii: "*") {
        commentDepth = 1
        continuation = .none
        return enterComment(.blockComment)
      }
      return leaveOperator()
    case .lineComment:
      guard byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") else {
        comment?.append(byte)
        return .take
      }
      endComment()
      state = .normal
      return .again
    case .blockComment, .blockSlash, .blockStar: return stepComment(byte)
    case .string:
      if byte == Self.quote { state = .normal }
      return .take
    case .escapeString:
      if byte == UInt8(ascii: "\\") { state = .escapeBackslash }
      if byte == Self.quote { state = .escapeQuote }
      return .take
    case .escapeBackslash:
      state = .escapeString
      return .take
    case .escapeQuote:
      if byte == Self.quote {
        state = .escapeString
        return .take
      }
      continuation = .sameLine
      state = .normal
      return .again
    case .quotedIdentifier:
      if byte == UInt8(ascii: "\"") { state = .normal }
      return .take
    case .dollarTag: return stepTag(byte)
    case .dollarBody:
      if byte == UInt8(ascii: "$") {
        tagMatched = 0
        state = .dollarMatch
      }
      return .take
    case .dollarMatch:
      if tagMatched < tag.count, byte == tag[tagMatched] {
        tagMatched += 1
      } else if byte == UInt8(ascii: "$") {
        if tagMatched == tag.count { state = .normal }
        tagMatched = 0
      } else {
        state = .dollarBody
      }
      return .take
    case .metacommand:
      if byte == UInt8(ascii: "\n") { return .endMetacommand }
      metacommand.append(byte)
      return .take
    case .copyHead, .copyHeadDash, .copyHeadComment, .copyData: return .take
    }
  }

  private func stepNormal(_ byte: UInt8) -> Step {
    if Self.isSpace(byte) {
      if byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r"), continuation == .sameLine {
        continuation = .nextLine
      }
      return .take
    }
    if byte == UInt8(ascii: "\\") { return .beginMetacommand }
    guard statement != nil else {
      if byte == UInt8(ascii: ";") { return .take }
      isTentative = byte == UInt8(ascii: "-") || byte == UInt8(ascii: "/")
      return .start
    }
    let continues = continuation == .nextLine
    if byte != UInt8(ascii: "-") { continuation = .none }
    switch byte {
    case UInt8(ascii: "-"):
      opening = position
      state = .dash
      return .take
    case UInt8(ascii: "/"):
      opening = position
      state = .slash
      return .take
    case Self.quote:
      return openString(continues || !standardConformingStrings ? .escapeString : .string)
    case UInt8(ascii: "\""):
      opening = position
      statement?.endsWords()
      state = .quotedIdentifier
      return .take
    case UInt8(ascii: "$"):
      opening = position
      tag = []
      state = .dollarTag
      return .take
    case UInt8(ascii: ";"):
      return statement?.isComplete == true ? .end : .take
    case _ where Self.isIdentifierStart(byte):
      opening = position
      word = []
      state = .identifier
      return .again
    default:
      statement?.symbol(byte)
      return .take
    }
  }

  private func stepComment(_ byte: UInt8) -> Step {
    switch (state, byte) {
    case (.blockSlash, UInt8(ascii: "*")):
      commentDepth += 1
      state = .blockComment
    case (.blockStar, UInt8(ascii: "/")):
      commentDepth -= 1
      state = commentDepth == 0 ? .normal : .blockComment
    case (_, UInt8(ascii: "/")): state = .blockSlash
    case (_, UInt8(ascii: "*")): state = .blockStar
    default: state = .blockComment
    }
    return .take
  }

  private func stepTag(_ byte: UInt8) -> Step {
    if byte == UInt8(ascii: "$") {
      statement?.endsWords()
      state = .dollarBody
      return .take
    }
    if tag.isEmpty ? Self.isIdentifierStart(byte) : Self.isIdentifierPart(byte) {
      tag.append(byte)
      return .take
    }
    // Not a dollar quote after all: `$` and then a word, or `$1`.
    statement?.endsWords()
    word = []
    for byte in tag { appendToWord(byte) }
    state = tag.isEmpty ? .normal : .identifier
    return .again
  }

  private func openString(_ kind: State) -> Step {
    opening = position
    word = []
    statement?.endsWords()
    state = kind
    return .take
  }

  private func enterComment(_ kind: State) -> Step {
    state = kind
    guard isTentative else { return .take }
    isTentative = false
    statement = nil
    if kind == .lineComment, onComment != nil { comment = Array("--".utf8) }
    return .take
  }

  private func endComment() {
    guard let comment else { return }
    self.comment = nil
    onComment?(SQLText(bytes: comment))
  }

  /// A `-` or `/` that begins no comment.
  private func leaveOperator() -> Step {
    isTentative = false
    continuation = .none
    statement?.endsWords()
    state = .normal
    return .again
  }

  private func appendToWord(_ byte: UInt8) {
    guard word.count < 64 else { return }
    let isUpper = (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
    word.append(isUpper ? byte | 0x20 : byte)
  }

  private func endWord() {
    guard !word.isEmpty else { return }
    statement?.word(word)
    word = []
  }

  private static let quote = UInt8(ascii: "'")

  static func isIdentifierStart(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) && byte < 0x80
      || byte == UInt8(ascii: "_") || byte >= 0x80
  }

  private static func isIdentifierPart(_ byte: UInt8) -> Bool {
    isIdentifierStart(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
      || byte == UInt8(ascii: "$")
  }

  // MARK: What is complete

  private func append(_ bytes: Slice<UnsafeRawBufferPointer>) {
    statement?.text.bytes.append(contentsOf: UnsafeRawBufferPointer(rebasing: bytes))
  }

  private func complete(
    _ handler: (SQLPiece) throws -> Void, endsWithSemicolon: Bool = true
  ) throws {
    guard let whole = statement?.statement(endsWithSemicolon: endsWithSemicolon) else { return }
    statement = nil
    continuation = .none
    if whole.isCopyFromStdin {
      opening = whole.start
      state = .copyHead
    }
    try handler(.statement(whole))
  }

  private func completeMetacommand(_ handler: (SQLPiece) throws -> Void) throws {
    while let last = metacommand.last, Self.isSpace(last) { metacommand.removeLast() }
    let command = SQLMetacommand(
      text: SQLText(bytes: metacommand), start: opening, isInsideStatement: statement != nil)
    state = .normal
    try handler(.metacommand(command))
  }

  /// psql passes over a UTF-8 byte order mark at the very beginning.
  ///
  /// - Returns: how many of `bytes` belong to it.
  private func skipByteOrderMark(
    _ bytes: UnsafeRawBufferPointer, _ handler: (SQLPiece) throws -> Void
  ) throws -> Int {
    let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
    guard var matched = byteOrderMark else { return 0 }
    let before = matched
    while matched < mark.count, matched - before < bytes.count,
      bytes[matched - before] == mark[matched]
    {
      matched += 1
    }
    if matched == mark.count {
      byteOrderMark = nil
      position.offset = mark.count
      return matched - before
    }
    guard matched - before < bytes.count else {
      byteOrderMark = matched
      return bytes.count
    }
    // It only began like one: those bytes are text.
    byteOrderMark = nil
    if before > 0 { try feed(Array(mark[..<before]), handler) }
    return 0
  }

  private func unterminated(_ what: String) -> PostgresError {
    PostgresError(
      .invalidScript, "The file ends inside the \(what) that begins at \(opening).",
      scriptPosition: opening)
  }
}
