/// The state machine: what each byte means where it stands.
extension SQLLexer {
  enum Step {
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

  func step(_ byte: UInt8) -> Step {
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

  func endComment() {
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

  func endWord() {
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
}
