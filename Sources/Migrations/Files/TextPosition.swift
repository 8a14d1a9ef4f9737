/// A place in a text, as editors count it.
struct TextPosition: Hashable {
  /// From 1.
  let line: Int
  /// In characters (Unicode scalars), from 1.
  let column: Int

  /// - Parameter offset: in bytes from the start of `text`; at most its length.
  init(in text: [UInt8], at offset: Int) {
    var line = 1
    var column = 1
    for byte in text[..<min(offset, text.count)] {
      if byte == 0x0A {
        line += 1
        column = 1
      } else if byte & 0xC0 != 0x80 {
        column += 1
      }
    }
    self.line = line
    self.column = column
  }

  /// The bytes of line `number` of `text`, without its end.
  static func line(_ number: Int, of text: [UInt8]) -> ArraySlice<UInt8> {
    var start = 0
    for _ in 1..<max(number, 1) {
      guard let end = text[start...].firstIndex(of: 0x0A) else { return [] }
      start = end + 1
    }
    return text[start...].prefix { $0 != 0x0A }
  }

  /// The byte offset of the character `position` (from 1) that follows byte `start`.
  static func offset(ofCharacter position: Int, from start: Int, in text: [UInt8]) -> Int {
    var left = position - 1
    var offset = start
    while offset < text.count {
      if text[offset] & 0xC0 != 0x80 {
        if left == 0 { break }
        left -= 1
      }
      offset += 1
    }
    return offset
  }
}
