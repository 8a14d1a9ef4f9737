import Postgres

/// The text form of a one-dimensional PostgreSQL array (documentation, 8.15.6).
enum ArrayText {
  /// The elements of `{a,"b,c",NULL}`; nil is NULL.
  static func elements(_ text: SQLText) -> [SQLText?] {
    var elements: [SQLText?] = []
    var element: [UInt8] = []
    var isQuoted = false
    var inQuotes = false
    let bytes = text.bytes
    guard bytes.first == UInt8(ascii: "{"), bytes.count > 2 else { return [] }
    func finish() {
      let isNull = !isQuoted && element.elementsEqual("NULL".utf8)
      elements.append(isNull ? nil : SQLText(bytes: element))
      element = []
      isQuoted = false
    }
    var index = 1
    while index < bytes.count {
      let byte = bytes[index]
      switch byte {
      case UInt8(ascii: "\\") where index + 1 < bytes.count:
        index += 1
        element.append(bytes[index])
      case UInt8(ascii: "\""):
        inQuotes.toggle()
        isQuoted = true
      case UInt8(ascii: ",") where !inQuotes:
        finish()
      case UInt8(ascii: "}") where !inQuotes:
        finish()
        return elements
      default:
        element.append(byte)
      }
      index += 1
    }
    return elements
  }
}
