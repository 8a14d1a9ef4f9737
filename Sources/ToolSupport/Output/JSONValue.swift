/// A JSON value whose objects keep their order, so that output is the same each time and the
/// fields that matter stand first.
public enum JSONValue: Hashable, Sendable {
  /// A name and its value in an object.
  public struct Member: Hashable, Sendable {
    public var name: String
    public var value: JSONValue
    public init(_ name: String, _ value: JSONValue) {
      self.name = name
      self.value = value
    }
  }

  case null
  case bool(Bool)
  case integer(Int)
  case number(Double)
  case string(String)
  case array([JSONValue])
  case object([Member])

  /// A string, or null.
  public init(_ text: String?) { self = text.map { .string($0) } ?? .null }
  /// An integer, or null.
  public init(_ number: Int?) { self = number.map { .integer($0) } ?? .null }
  /// A number, or null.
  public init(_ number: Double?) { self = number.map { .number($0) } ?? .null }

  /// On one line.
  public var compact: String {
    var text = ""
    write(to: &text, indent: nil, level: 0)
    return text
  }

  /// Indented by two spaces, for people and for `diff`.
  public var pretty: String {
    var text = ""
    write(to: &text, indent: 2, level: 0)
    return text
  }

  private func write(to text: inout String, indent: Int?, level: Int) {
    switch self {
    case .null: text += "null"
    case .bool(let value): text += value ? "true" : "false"
    case .integer(let value): text += String(value)
    case .number(let value): text += value.isFinite ? "\(value)" : "null"
    case .string(let value): Self.quote(value, to: &text)
    case .array(let values):
      Self.list(values, "[", "]", to: &text, indent, level) { value, text in
        value.write(to: &text, indent: indent, level: level + 1)
      }
    case .object(let members):
      Self.list(members, "{", "}", to: &text, indent, level) { member, text in
        Self.quote(member.name, to: &text)
        text += indent == nil ? ":" : ": "
        member.value.write(to: &text, indent: indent, level: level + 1)
      }
    }
  }

  private static func list<Element>(
    _ elements: [Element], _ open: String, _ close: String, to text: inout String,
    _ indent: Int?, _ level: Int, _ body: (Element, inout String) -> Void
  ) {
    func newLine(_ level: Int) {
      guard let indent, !elements.isEmpty else { return }
      text += "\n" + String(repeating: " ", count: indent * level)
    }
    text += open
    for (index, element) in elements.enumerated() {
      if index > 0 { text += "," }
      newLine(level + 1)
      body(element, &text)
    }
    newLine(level)
    text += close
  }

  /// RFC 8259, section 7. U+2028 and U+2029 are escaped too, for readers that take them for line
  /// ends.
  private static func quote(_ value: String, to text: inout String) {
    text += "\""
    for scalar in value.unicodeScalars {
      switch scalar {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      case "\n": text += "\\n"
      case "\r": text += "\\r"
      case "\t": text += "\\t"
      case _ where scalar.value < 0x20 || scalar.value == 0x7F || scalar.value >> 1 == 0x1014:
        let hex = String(scalar.value, radix: 16)
        text += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
      default: text.unicodeScalars.append(scalar)
      }
    }
    text += "\""
  }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral,
  ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
  public init(stringLiteral value: String) { self = .string(value) }
  public init(integerLiteral value: Int) { self = .integer(value) }
  public init(booleanLiteral value: Bool) { self = .bool(value) }
  public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
  public init(dictionaryLiteral elements: (String, JSONValue)...) {
    self = .object(elements.map { Member($0, $1) })
  }
}
