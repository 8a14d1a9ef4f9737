/// The statement that ``SQLLexer`` is reading: its text, and where its semicolon may be.
struct StatementBuilder {
  let start: SQLPosition
  var text = SQLText()
  private var words: [String] = []
  private var hasAllWords = false
  private var openParentheses = 0
  /// `BEGIN ATOMIC` and, inside it, `CASE` that wait for their `END`.
  private var openBlocks = 0
  private var isCopyFromStdin = false
  /// The word just before, when a word was the last token; "." after a dot.
  private var previous = ""

  init(start: SQLPosition) { self.start = start }

  /// Whether a semicolon here ends the statement.
  var isComplete: Bool { openParentheses == 0 && openBlocks == 0 }

  /// Whether it makes a function or procedure, whose body may hold semicolons.
  private var makesRoutine: Bool {
    guard words.first == "create", words.count > 1 else { return false }
    let kind =
      words.starts(with: ["create", "or", "replace"]) ? words.dropFirst(3).first : words[1]
    return kind == "function" || kind == "procedure"
  }

  /// Takes an unquoted word, in lower case.
  mutating func word(_ bytes: [UInt8]) {
    let word = String(decoding: bytes, as: UTF8.self)
    if !hasAllWords {
      words.append(word)
      hasAllWords = words.count == 8
    }
    defer { previous = word }
    guard openParentheses == 0 else { return }
    if words.first == "copy", previous == "from", word == "stdin" || word == "stdout" {
      // The server takes either name for the client's end.
      isCopyFromStdin = true
    }
    // After AS or a dot any keyword is a name.
    guard makesRoutine, previous != "as", previous != "." else { return }
    switch word {
    case "atomic" where previous == "begin" && openBlocks == 0: openBlocks = 1
    case "case" where openBlocks > 0: openBlocks += 1
    case "end" where openBlocks > 0: openBlocks -= 1
    default: break
    }
  }

  /// Takes a character that is neither part of a word nor of a quotation.
  mutating func symbol(_ byte: UInt8) {
    endsWords()
    switch byte {
    case UInt8(ascii: "("): openParentheses += 1
    case UInt8(ascii: ")"): openParentheses = max(0, openParentheses - 1)
    case UInt8(ascii: "."): previous = "."
    default: break
    }
  }

  /// Notes a token that is not an unquoted word.
  mutating func endsWords() {
    hasAllWords = true
    previous = ""
  }

  func statement(endsWithSemicolon: Bool) -> SQLStatement {
    SQLStatement(
      text: text, start: start, words: words, endsWithSemicolon: endsWithSemicolon,
      isCopyFromStdin: isCopyFromStdin && endsWithSemicolon)
  }
}
