import Postgres

/// An object's statements taken apart, as far as comparing needs it.
struct ObjectParts {
  let kind: ObjectKind
  /// What stands before the list in parentheses; the whole first statement where there is none.
  var head: SQLText
  /// Columns and constraints of a table, labels of an enum type.
  var elements: [SQLText]
  /// What follows the list, and the statements after the first, a line each.
  var tail: [SQLText]

  /// The same for objects that are equal: the order of columns is none of it, but that of labels is.
  var comparable: [SQLText] {
    [head] + (kind.isTable ? elements.sorted() : elements) + tail
  }

  /// Columns by name, and where they stand.
  var columns: [(name: SQLText, element: SQLText)] {
    elements.compactMap { element in Self.columnName(element).map { ($0, element) } }
  }

  /// The name at the beginning of a column's declaration, as it is written; nil for a constraint.
  static func columnName(_ element: SQLText) -> SQLText? {
    let bytes = element.bytes
    guard bytes.first == UInt8(ascii: "\"") else {
      let word = SQLText(bytes: bytes.prefix { $0 != 0x20 })
      return ["CONSTRAINT", "NOT"].contains(word) ? nil : word
    }
    var index = 1
    while index < bytes.count {
      if bytes[index] == UInt8(ascii: "\"") {
        guard index + 1 < bytes.count, bytes[index + 1] == UInt8(ascii: "\"") else {
          return SQLText(bytes: bytes[...index])
        }
        index += 1
      }
      index += 1
    }
    return nil
  }
}

extension ObjectKind {
  var isTable: Bool { self == .table || self == .foreignTable }
}

extension SchemaState.Object {
  var parts: ObjectParts {
    guard key.kind.isTable || key.kind == .enumType,
      let open = sql.bytes.firstIndex(of: UInt8(ascii: "(")),
      let list = Self.list(sql.bytes, from: open)
    else { return ObjectParts(kind: key.kind, head: "", elements: [], tail: lines(sql.bytes[...])) }
    return ObjectParts(
      kind: key.kind, head: SQLText(bytes: sql.bytes[..<open]), elements: list.elements,
      tail: lines(sql.bytes[list.end...]))
  }

  private func lines(_ bytes: ArraySlice<UInt8>) -> [SQLText] {
    bytes.split(separator: 0x0A).map { SQLText(bytes: $0.drop { $0 == 0x20 }) }
      .filter { !$0.isEmpty && $0 != ";" }
  }

  /// The elements between the parenthesis at `open` and its counterpart, and what is behind that.
  private static func list(
    _ bytes: [UInt8], from open: Int
  ) -> (elements: [SQLText], end: Int)? {
    var elements: [SQLText] = []
    var depth = 0
    var quote: UInt8?
    var start = open + 1
    func element(_ end: Int) -> SQLText {
      var part = bytes[start..<end]
      while let last = part.last, last == 0x20 || last == 0x0A { part.removeLast() }
      return SQLText(bytes: part.drop { $0 == 0x20 || $0 == 0x0A })
    }
    for index in open..<bytes.count {
      let byte = bytes[index]
      if let open = quote {
        if byte == open { quote = nil }
        continue
      }
      switch byte {
      case UInt8(ascii: "'"), UInt8(ascii: "\""): quote = byte
      case UInt8(ascii: "("): depth += 1
      case UInt8(ascii: ")"):
        depth -= 1
        guard depth == 0 else { continue }
        let last = element(index)
        if !last.isEmpty { elements.append(last) }
        return (elements, index + 1)
      case UInt8(ascii: ",") where depth == 1:
        elements.append(element(index))
        start = index + 1
      default: continue
      }
    }
    return nil
  }
}
