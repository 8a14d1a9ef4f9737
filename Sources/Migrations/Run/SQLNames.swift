import Postgres

/// Reads words and names from the beginning of a statement, comments in between included.
struct SQLNames {
  private var rest: ArraySlice<UInt8>

  init(_ statement: SQLStatement) { rest = statement.text.bytes[...] }

  /// Passes over a word if it is the next one, in any case.
  mutating func skip(_ word: String) -> Bool {
    skipSpace()
    var ahead = rest
    for byte in word.utf8 {
      guard let next = ahead.popFirst(), next | 0x20 == byte else { return false }
    }
    if let next = ahead.first, Self.isNamePart(next) { return false }
    rest = ahead
    return true
  }

  /// Passes over several words, all or none of them.
  mutating func skip(_ words: String...) -> Bool {
    let before = rest
    for word in words where !skip(word) {
      rest = before
      return false
    }
    return true
  }

  /// A name, qualified or not, as it is written: `Public."My Index"`.
  mutating func name() -> SQLText? {
    skipSpace()
    var name: [UInt8] = []
    while let part = part() {
      name += part
      guard rest.first == UInt8(ascii: ".") else { break }
      name.append(rest.removeFirst())
    }
    return name.isEmpty ? nil : SQLText(bytes: name)
  }

  /// A string in plain quotes, quotes included.
  mutating func literal() -> SQLText? {
    skipSpace()
    guard rest.first == UInt8(ascii: "'") else { return nil }
    return quoted(UInt8(ascii: "'")).map { SQLText(bytes: $0) }
  }

  private mutating func part() -> [UInt8]? {
    if rest.first == UInt8(ascii: "\"") { return quoted(UInt8(ascii: "\"")) }
    let word = Array(rest.prefix(while: Self.isNamePart))
    rest = rest.dropFirst(word.count)
    return word.isEmpty ? nil : word
  }

  private mutating func quoted(_ quote: UInt8) -> [UInt8]? {
    var text = [rest.removeFirst()]
    while let byte = rest.popFirst() {
      text.append(byte)
      guard byte == quote else { continue }
      guard rest.first == quote else { return text }
      text.append(rest.removeFirst())
    }
    return nil
  }

  private mutating func skipSpace() {
    while let byte = rest.first {
      if byte == 0x20 || (0x09...0x0D).contains(byte) {
        rest.removeFirst()
      } else if rest.starts(with: "--".utf8) {
        rest = rest.drop { $0 != 0x0A }
      } else if rest.starts(with: "/*".utf8) {
        skipComment()
      } else {
        return
      }
    }
  }

  private mutating func skipComment() {
    var depth = 0
    while !rest.isEmpty {
      if rest.starts(with: "/*".utf8) {
        depth += 1
        rest = rest.dropFirst(2)
      } else if rest.starts(with: "*/".utf8) {
        depth -= 1
        rest = rest.dropFirst(2)
        if depth == 0 { return }
      } else {
        rest.removeFirst()
      }
    }
  }

  private static func isNamePart(_ byte: UInt8) -> Bool {
    byte == 0x5F || byte == 0x24 || byte >= 0x80 || (0x30...0x39).contains(byte)
      || (0x61...0x7A).contains(byte | 0x20) && byte & 0x40 != 0
  }
}
