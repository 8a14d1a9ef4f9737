import Postgres

/// Reads words and names from a statement that this module wrote.
struct NameReader {
  private let whole: [UInt8]
  private var rest: ArraySlice<UInt8>

  init(_ statement: SQLText) {
    whole = statement.bytes
    rest = whole[...]
  }

  /// Passes over a keyword if it is the next word.
  mutating func skip(_ word: String) -> Bool {
    skipSpace()
    guard rest.starts(with: word.utf8) else { return false }
    let after = rest.dropFirst(word.utf8.count)
    if let next = after.first, !Self.isSpace(next), next != UInt8(ascii: ";") { return false }
    rest = after
    return true
  }

  /// Passes over one word, quoted text or character; false at the end.
  mutating func next() -> Bool {
    skipSpace()
    guard !rest.isEmpty else { return false }
    if name() == nil { rest.removeFirst() }
    return true
  }

  /// A name, qualified or not, as it is written: `public."My Index"`.
  mutating func name() -> SQLText? {
    skipSpace()
    let start = rest.startIndex
    while let byte = rest.first {
      if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") {
        rest.removeFirst()
        rest = rest.drop { $0 != byte }.dropFirst()
      } else if Self.isSpace(byte) || "();,".utf8.contains(byte) {
        break
      } else {
        rest.removeFirst()
      }
    }
    let name = whole[start..<rest.startIndex]
    return name.isEmpty ? nil : SQLText(bytes: name)
  }

  private mutating func skipSpace() { rest = rest.drop { Self.isSpace($0) } }

  private static func isSpace(_ byte: UInt8) -> Bool {
    byte == 0x20 || (0x09...0x0D).contains(byte)
  }
}

extension String {
  func lastRange(of text: String) -> Range<Index>? { ranges(of: text).last }
}
