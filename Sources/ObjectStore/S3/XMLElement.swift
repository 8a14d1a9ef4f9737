/// A piece of an S3 answer: a small, strict reader of the XML that S3 servers send.
///
/// Elements, text, character references, CDATA, comments and processing instructions. Attributes
/// and namespaces are passed over. A DOCTYPE is refused: no S3 server sends one, and entity
/// declarations are how XML readers are attacked.
struct XMLElement: Hashable, Sendable {
  /// Without its namespace prefix.
  var name: String
  /// All text directly inside.
  var text = ""
  var children: [XMLElement] = []

  /// The first child of that name.
  subscript(_ name: String) -> XMLElement? { children.first { $0.name == name } }

  /// The text of the first child of that name.
  func text(_ name: String) -> String? { self[name]?.text }

  /// All children of that name.
  func all(_ name: String) -> [XMLElement] { children.filter { $0.name == name } }

  /// Why something is not the XML that is read here.
  struct Malformed: Error, Hashable, CustomStringConvertible {
    var description: String
  }

  /// Reads a document.
  init(parsing bytes: [UInt8]) throws {
    var parser = XMLParser(bytes)
    self = try parser.document()
  }

  init(name: String) { self.name = name }
}

/// A cursor over a document.
private struct XMLParser {
  private let bytes: [UInt8]
  private var position = 0
  private static let deepest = 32

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  mutating func document() throws -> XMLElement {
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
    try skipBetween()
    guard position < bytes.count, let root = try element(depth: 0) else {
      throw XMLElement.Malformed(description: "no element")
    }
    try skipBetween()
    guard position == bytes.count else {
      throw XMLElement.Malformed(description: "something after the end of \(root.name)")
    }
    return root
  }

  /// Blanks, comments, declarations and processing instructions outside the root.
  private mutating func skipBetween() throws {
    while position < bytes.count {
      if isBlank(bytes[position]) {
        position += 1
      } else if take("<?") {
        _ = try upTo("?>")
      } else if take("<!--") {
        _ = try upTo("-->")
      } else {
        return
      }
    }
  }

  /// Expects `<` here. Nil never comes; the optional keeps the caller's guard in one place.
  private mutating func element(depth: Int) throws -> XMLElement? {
    guard depth < Self.deepest else { throw XMLElement.Malformed(description: "nested too deeply") }
    guard take("<") else { throw XMLElement.Malformed(description: "no element") }
    let tag = try startTag()
    var element = XMLElement(name: local(tag.name))
    guard !tag.isClosed else { return element }
    var text: [UInt8] = []
    while true {
      if take("</") {
        let end = trimmed(try upTo(">"))
        guard end.elementsEqual(tag.name) else {
          throw XMLElement.Malformed(description: "\(element.name) is not closed")
        }
        guard let string = String(validating: text, as: UTF8.self) else {
          throw XMLElement.Malformed(description: "text that is not UTF-8")
        }
        element.text = string
        return element
      } else if take("<!--") {
        _ = try upTo("-->")
      } else if take("<![CDATA[") {
        text += try upTo("]]>")
      } else if take("<?") {
        _ = try upTo("?>")
      } else if take("<!") {
        throw XMLElement.Malformed(description: "a declaration inside \(element.name)")
      } else if position < bytes.count, bytes[position] == UInt8(ascii: "<") {
        if let child = try self.element(depth: depth + 1) { element.children.append(child) }
      } else if take("&") {
        text += try reference()
      } else if position < bytes.count {
        text.append(bytes[position])
        position += 1
      } else {
        throw XMLElement.Malformed(description: "it ends inside \(element.name)")
      }
    }
  }

  private mutating func startTag() throws -> (name: ArraySlice<UInt8>, isClosed: Bool) {
    let start = position
    while position < bytes.count, isName(bytes[position]) { position += 1 }
    let name = bytes[start..<position]
    guard !name.isEmpty else { throw XMLElement.Malformed(description: "a tag without a name") }
    var quote: UInt8?
    while position < bytes.count {
      let byte = bytes[position]
      position += 1
      if let open = quote {
        if byte == open { quote = nil }
      } else if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") {
        quote = byte
      } else if byte == UInt8(ascii: ">") {
        return (name, bytes[position - 2] == UInt8(ascii: "/"))
      } else if byte == UInt8(ascii: "<") {
        break
      }
    }
    throw XMLElement.Malformed(description: "a tag that does not end")
  }

  private mutating func reference() throws -> [UInt8] {
    let name = String(decoding: try upTo(";"), as: UTF8.self)
    switch name {
    case "amp": return [UInt8(ascii: "&")]
    case "lt": return [UInt8(ascii: "<")]
    case "gt": return [UInt8(ascii: ">")]
    case "quot": return [UInt8(ascii: "\"")]
    case "apos": return [UInt8(ascii: "'")]
    default: break
    }
    var number: UInt32?
    if name.hasPrefix("#x") {
      number = UInt32(name.dropFirst(2), radix: 16)
    } else if name.hasPrefix("#") {
      number = UInt32(name.dropFirst())
    }
    guard let number, let scalar = Unicode.Scalar(number) else {
      throw XMLElement.Malformed(description: "the unknown entity \(name.prefix(20))")
    }
    return Array(String(Character(scalar)).utf8)
  }

  // MARK: Bytes

  private mutating func take(_ text: StaticString) -> Bool {
    let count = text.utf8CodeUnitCount
    guard bytes.count - position >= count else { return false }
    for i in 0..<count where bytes[position + i] != text.utf8Start[i] { return false }
    position += count
    return true
  }

  /// Everything before `end`, and passes over it.
  private mutating func upTo(_ end: StaticString) throws -> ArraySlice<UInt8> {
    let start = position
    while position < bytes.count {
      let here = position
      if take(end) { return bytes[start..<here] }
      position += 1
    }
    throw XMLElement.Malformed(description: "it ends too early")
  }

  private func local(_ name: ArraySlice<UInt8>) -> String {
    let colon = name.lastIndex(of: UInt8(ascii: ":"))
    return String(decoding: colon.map { name[($0 + 1)...] } ?? name, as: UTF8.self)
  }

  private func trimmed(_ name: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    var name = name
    while let last = name.last, isBlank(last) { name.removeLast() }
    return name
  }

  private func isBlank(_ byte: UInt8) -> Bool {
    byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09
  }

  private func isName(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x3A, 0x41...0x5A, 0x61...0x7A, 0x5F, 0x2D, 0x2E, 0x80...0xFF: true
    default: false
    }
  }
}
