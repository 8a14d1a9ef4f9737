import Postgres

/// A pattern of names as psql's `\d` takes it (documentation of psql, "Patterns"), as regular
/// expressions for the server.
struct NamePattern {
  /// nil when the pattern names no schema.
  var schema: SQLText?
  var name: SQLText

  /// - Throws: ``SchemaError/Code/invalidPattern`` for more than one dot, or a quote that is open.
  init(_ pattern: String, isSchemaOnly: Bool = false) throws {
    var parts: [[UInt8]] = [[]]
    var inQuotes = false
    let bytes = Array(pattern.utf8)
    var index = 0
    while index < bytes.count {
      let byte = bytes[index]
      index += 1
      if byte == UInt8(ascii: "\"") {
        if inQuotes, index < bytes.count, bytes[index] == byte {
          parts[parts.count - 1].append(byte)
          index += 1
        } else {
          inQuotes.toggle()
        }
        continue
      }
      if !inQuotes, byte == UInt8(ascii: "."), !isSchemaOnly {
        parts.append([])
        continue
      }
      parts[parts.count - 1] += Self.expression(byte, isLiteral: inQuotes)
    }
    guard !inQuotes, parts.count <= 2, !pattern.isEmpty else {
      throw SchemaError(
        .invalidPattern,
        "The pattern \(pattern) cannot be read: it is a name or SCHEMA.NAME, with * and ? for any "
          + "characters, and double quotes around what is meant literally.")
    }
    schema = parts.count == 2 ? Self.whole(parts[0]) : nil
    name = Self.whole(parts[parts.count - 1])
  }

  private static func whole(_ expression: [UInt8]) -> SQLText {
    SQLText(bytes: Array("^(".utf8) + expression + Array(")$".utf8))
  }

  private static func expression(_ byte: UInt8, isLiteral: Bool) -> [UInt8] {
    if isLiteral {
      // Whatever means something in a regular expression means itself.
      return "|*+?()[]{}.^$\\".utf8.contains(byte) ? [UInt8(ascii: "\\"), byte] : [byte]
    }
    switch byte {
    case UInt8(ascii: "*"): return Array(".*".utf8)
    case UInt8(ascii: "?"): return [UInt8(ascii: ".")]
    case UInt8(ascii: "$"): return Array("\\$".utf8)
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): return [byte | 0x20]
    default: return [byte]
    }
  }
}
