import Postgres

/// A pattern of tables' names as psql's `\d` takes it: `*` and `?` stand for any characters and for
/// one, what is in double quotes is meant literally, a dot parts schema and name. A name without a
/// schema is meant in every schema.
struct TablePattern: Sendable {
  private enum Part: Equatable {
    case byte(UInt8)
    /// One character of UTF-8.
    case one
    case any
  }

  private let schema: [Part]?
  private let name: [Part]

  /// - Throws: ``LogicalBackupError/Code/invalidRequest`` when it cannot be read.
  init(_ pattern: String) throws {
    let parts = try Self.parse(pattern)
    guard parts.count <= 2 else { throw Self.bad(pattern) }
    schema = parts.count == 2 ? parts[0] : nil
    name = parts[parts.count - 1]
  }

  /// A pattern of a schema's name alone.
  init(schema pattern: String) throws {
    let parts = try Self.parse(pattern)
    guard parts.count == 1 else { throw Self.bad(pattern) }
    schema = parts[0]
    name = [.any]
  }

  func matches(_ relation: RelationName) -> Bool {
    if let schema, !Self.matches(schema[...], relation.schema.bytes[...]) { return false }
    return Self.matches(name[...], relation.name.bytes[...])
  }

  private static func parse(_ pattern: String) throws -> [[Part]] {
    var parts: [[Part]] = [[]]
    var isQuoted = false
    var bytes = Array(pattern.utf8)[...]
    while let byte = bytes.popFirst() {
      switch byte {
      case UInt8(ascii: "\"") where isQuoted && bytes.first == byte:
        bytes.removeFirst()
        parts[parts.count - 1].append(.byte(byte))
      case UInt8(ascii: "\""): isQuoted.toggle()
      case UInt8(ascii: ".") where !isQuoted: parts.append([])
      case UInt8(ascii: "*") where !isQuoted: parts[parts.count - 1].append(.any)
      case UInt8(ascii: "?") where !isQuoted: parts[parts.count - 1].append(.one)
      case UInt8(ascii: "A")...UInt8(ascii: "Z") where !isQuoted:
        parts[parts.count - 1].append(.byte(byte | 0x20))
      default: parts[parts.count - 1].append(.byte(byte))
      }
    }
    guard !isQuoted, parts.allSatisfy({ !$0.isEmpty }) else { throw bad(pattern) }
    return parts
  }

  private static func matches(_ parts: ArraySlice<Part>, _ text: ArraySlice<UInt8>) -> Bool {
    var (parts, text) = (parts, text)
    while let part = parts.first {
      switch part {
      case .byte(let byte):
        guard text.first == byte else { return false }
        text.removeFirst()
      case .one:
        guard !text.isEmpty else { return false }
        text.removeFirst()
        text = text.drop { $0 & 0xC0 == 0x80 }
      case .any:
        let rest = parts.dropFirst()
        return (text.startIndex...text.endIndex).contains { matches(rest, text[$0...]) }
      }
      parts.removeFirst()
    }
    return text.isEmpty
  }

  private static func bad(_ pattern: String) -> LogicalBackupError {
    LogicalBackupError(
      .invalidRequest,
      "The pattern \(pattern) cannot be read: it is a name or SCHEMA.NAME, with * and ? for any "
        + "characters, and double quotes around what is meant literally.")
  }
}
