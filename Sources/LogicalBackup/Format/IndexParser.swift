/// Reads the JSON (RFC 8259) of one line of the index, strictly: nothing but what ``IndexLine``
/// writes and what a later version of it could add. That is ASCII without white space, whole numbers
/// only, and no field twice. Fails with nil; the caller knows which line it is.
struct IndexParser {
  private let bytes: ArraySlice<UInt8>
  private var cursor: Int
  private var depth = 0

  /// The value that `bytes` spell whole; nil when they are not one JSON value.
  static func parse(_ bytes: ArraySlice<UInt8>) -> IndexValue? {
    var parser = IndexParser(bytes: bytes, cursor: bytes.startIndex)
    guard let value = parser.value(), parser.cursor == bytes.endIndex else { return nil }
    return value
  }

  private init(bytes: ArraySlice<UInt8>, cursor: Int) {
    self.bytes = bytes
    self.cursor = cursor
  }

  private var next: UInt8? { cursor < bytes.endIndex ? bytes[cursor] : nil }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard next == UInt8(ascii: character) else { return false }
    cursor += 1
    return true
  }

  private mutating func word(_ text: StaticString, _ value: IndexValue) -> IndexValue? {
    let end = cursor + text.utf8CodeUnitCount
    guard end <= bytes.endIndex,
      text.withUTF8Buffer({ bytes[cursor..<end].elementsEqual($0) })
    else { return nil }
    cursor = end
    return value
  }

  private mutating func value() -> IndexValue? {
    guard depth < 16 else { return nil }
    switch next {
    case UInt8(ascii: "\""): return string().map { .string($0) }
    case UInt8(ascii: "{"): return object()
    case UInt8(ascii: "["): return array()
    case UInt8(ascii: "t"): return word("true", .bool(true))
    case UInt8(ascii: "f"): return word("false", .bool(false))
    case UInt8(ascii: "n"): return word("null", .null)
    default: return integer()
    }
  }

  private mutating func integer() -> IndexValue? {
    let start = cursor
    _ = take("-")
    while let byte = next, (0x30...0x39).contains(byte) { cursor += 1 }
    return Int(String(decoding: bytes[start..<cursor], as: UTF8.self)).map { .integer($0) }
  }

  private mutating func array() -> IndexValue? {
    guard take("[") else { return nil }
    depth += 1
    defer { depth -= 1 }
    var values: [IndexValue] = []
    if take("]") { return .array(values) }
    while true {
      guard let value = value() else { return nil }
      values.append(value)
      if take("]") { return .array(values) }
      guard take(",") else { return nil }
    }
  }

  private mutating func object() -> IndexValue? {
    guard take("{") else { return nil }
    depth += 1
    defer { depth -= 1 }
    var fields: [String: IndexValue] = [:]
    if take("}") { return .object(fields) }
    while true {
      guard let key = string(), take(":"), let value = value() else { return nil }
      // The same field twice is no way to write an index.
      guard fields.updateValue(value, forKey: key) == nil else { return nil }
      if take("}") { return .object(fields) }
      guard take(",") else { return nil }
    }
  }

  private mutating func string() -> String? {
    guard take("\"") else { return nil }
    var units: [UInt8] = []
    while let byte = next {
      cursor += 1
      switch byte {
      case UInt8(ascii: "\""): return String(validating: units, as: UTF8.self)
      case UInt8(ascii: "\\"):
        guard let scalar = escape() else { return nil }
        units += Array(String(Character(scalar)).utf8)
      case 0x20..<0x7F: units.append(byte)
      default: return nil
      }
    }
    return nil
  }

  private mutating func escape() -> Unicode.Scalar? {
    guard let kind = next else { return nil }
    cursor += 1
    switch kind {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(kind)
    case UInt8(ascii: "u"):
      guard let first = unit() else { return nil }
      guard (0xD800..<0xDC00).contains(first) else { return Unicode.Scalar(first) }
      guard take("\\"), take("u"), let second = unit(), (0xDC00..<0xE000).contains(second) else {
        return nil
      }
      return Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
    default: return nil
    }
  }

  /// Four hexadecimal digits.
  private mutating func unit() -> UInt32? {
    guard cursor + 4 <= bytes.endIndex else { return nil }
    defer { cursor += 4 }
    let digits = bytes[cursor..<cursor + 4]
    guard digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }) else { return nil }
    return UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
  }
}
