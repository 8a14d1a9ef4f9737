import Glibc
import Postgres

/// Keeps casts of `ARRAY[…]` what they were.
///
/// `x IN ('a', 'b')` over a `character varying` column is
/// `x::text = ANY ((ARRAY['a'::character varying, 'b'::character varying])::text[])` in the
/// server's words. Read again, the server takes the cast into the brackets and makes
/// `ARRAY[('a'::character varying)::text, …]` of it, which is another expression: pg_dump's copies
/// differ from what they were made from. With the array's own type between, it is read as it was.
enum ArrayCasts {
  /// - Returns: the statements with `::type[]` after each `ARRAY[…]` that stands before a cast and
  ///   whose elements all say their type. Literals, quoted names and dollar quotes are passed over.
  static func kept(_ sql: SQLText) -> SQLText {
    let bytes = sql.bytes
    guard mayHaveCasts(bytes) else { return sql }
    var insertions: [(position: Int, text: [UInt8])] = []
    var open: [Bracket] = []
    var position = 0
    while position < bytes.count {
      switch bytes[position] {
      case UInt8(ascii: "'"), UInt8(ascii: "\""):
        position = endOfQuotes(bytes, position)
        continue
      case UInt8(ascii: "$"):
        position = endOfDollarQuotes(bytes, position)
        continue
      case UInt8(ascii: "("), UInt8(ascii: "["):
        let isArray = bytes[position] == UInt8(ascii: "[") && ends(bytes, position, with: "ARRAY")
        open.append(Bracket(isArray: isArray))
      case UInt8(ascii: ","):
        if let last = open.indices.last { open[last].endElement(bytes, position) }
      case UInt8(ascii: ":"):
        if starts(bytes, position, with: "::"), let last = open.indices.last {
          position += 2
          open[last].type = position
          continue
        }
      case UInt8(ascii: ")"), UInt8(ascii: "]"):
        guard var bracket = open.popLast() else { break }
        bracket.endElement(bytes, position)
        let isCast =
          starts(bytes, position, with: "])::") || starts(bytes, position, with: "]::")
        if bracket.isArray, isCast, let type = bracket.elementType {
          insertions.append((position + 1, Array("::".utf8) + type + Array("[]".utf8)))
        }
      default: break
      }
      position += 1
    }
    return inserted(insertions, bytes)
  }

  /// What is open at a place: for an array, the types that its elements so far say.
  private struct Bracket {
    var isArray: Bool
    /// Where the present element's last cast has its type.
    var type: Int?
    private var types: Set<[UInt8]> = []
    private var isTyped = true

    init(isArray: Bool) { self.isArray = isArray }

    mutating func endElement(_ bytes: [UInt8], _ end: Int) {
      if isArray, let type { types.insert(Array(bytes[type..<end])) }
      // A column may have parameters of its own, which a cast to the bare type would take away.
      if type == nil { isTyped = false }
      type = nil
    }

    /// The type without parameters; nil where an element does not say it, or it is not one name.
    var elementType: [UInt8]? {
      guard isTyped else { return nil }
      let names = Set(types.map(Self.withoutParameters))
      guard names.count == 1, let name = names.first else { return nil }
      let isPlain = name.allSatisfy { byte in
        isOfTag(byte) || byte == UInt8(ascii: ".") || byte == UInt8(ascii: " ")
          || byte == UInt8(ascii: "\"")
      }
      return isPlain ? name : nil
    }

    private static func withoutParameters(_ type: [UInt8]) -> [UInt8] {
      guard type.last == UInt8(ascii: ")"), let start = type.firstIndex(of: UInt8(ascii: "("))
      else { return type }
      return Array(type[..<start])
    }
  }

  private static func mayHaveCasts(_ bytes: [UInt8]) -> Bool {
    bytes.withUnsafeBytes { buffer in
      var position = 0
      while position + 3 < buffer.count, let base = buffer.baseAddress,
        let found = memchr(base + position, Int32(UInt8(ascii: "]")), buffer.count - position)
      {
        position = UnsafeRawPointer(found) - base
        if starts(bytes, position, with: "])::") || starts(bytes, position, with: "]::") {
          return true
        }
        position += 1
      }
      return false
    }
  }

  private static func starts(_ bytes: [UInt8], _ position: Int, with text: StaticString) -> Bool {
    guard position + text.utf8CodeUnitCount <= bytes.count else { return false }
    return text.withUTF8Buffer { text in
      text.indices.allSatisfy { bytes[position + $0] == text[$0] }
    }
  }

  private static func ends(_ bytes: [UInt8], _ position: Int, with text: StaticString) -> Bool {
    position >= text.utf8CodeUnitCount
      && starts(bytes, position - text.utf8CodeUnitCount, with: text)
  }

  /// The server doubles quotes and, in `E''`, backslashes, so that the next quote alone is the end.
  private static func endOfQuotes(_ bytes: [UInt8], _ start: Int) -> Int {
    var position = start + 1
    while position < bytes.count {
      if bytes[position] == bytes[start] {
        guard position + 1 < bytes.count, bytes[position + 1] == bytes[start] else {
          return position + 1
        }
        position += 1
      }
      position += 1
    }
    return position
  }

  /// Past `$tag$ … $tag$`, or past the dollar alone where there is no tag (`$1`).
  private static func endOfDollarQuotes(_ bytes: [UInt8], _ start: Int) -> Int {
    var end = start + 1
    while end < bytes.count, isOfTag(bytes[end]) { end += 1 }
    guard end < bytes.count, bytes[end] == UInt8(ascii: "$"),
      end == start + 1 || !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[start + 1])
    else { return start + 1 }
    let tag = bytes[start...end]
    var position = end + 1
    while position + tag.count <= bytes.count {
      if bytes[position] == UInt8(ascii: "$"), bytes[position..<position + tag.count] == tag {
        return position + tag.count
      }
      position += 1
    }
    return bytes.count
  }

  private static func isOfTag(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), 0x80...:
      true
    default: false
    }
  }

  private static func inserted(
    _ insertions: [(position: Int, text: [UInt8])], _ bytes: [UInt8]
  ) -> SQLText {
    var result: [UInt8] = []
    var start = 0
    for insertion in insertions {
      result += bytes[start..<insertion.position]
      result += insertion.text
      start = insertion.position
    }
    result += bytes[start...]
    return SQLText(bytes: result)
  }
}
