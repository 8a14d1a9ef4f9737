import Postgres

/// Which privileges a kind of object can have (documentation, 5.7, table 5.1).
enum PrivilegeKind: Sendable {
  case table, sequence, function, schema, language, type, foreignDataWrapper, foreignServer
  case database, largeObject, tablespace

  /// The privileges' letters on a server of `version`, in the order in which they are written.
  func letters(version: Int) -> String {
    switch self {
    case .table: version >= 17 ? "rawdDxtm" : "rawdDxt"
    case .sequence: "rwU"
    case .function: "X"
    case .schema: "CU"
    case .language, .type, .foreignDataWrapper, .foreignServer: "U"
    case .database: "CTc"
    case .largeObject: "rw"
    case .tablespace: "C"
    }
  }

  /// Privileges by their letters in SQL: `ALL` when it is all that there are.
  func names(_ letters: String, version: Int, column: SQLText?) -> SQLText {
    let known = column == nil ? self.letters(version: version) : "rawx"
    if known.allSatisfy({ letters.contains($0) }) {
      guard let column else { return "ALL" }
      return "ALL (\(column.quotedIdentifier))"
    }
    return known.filter { letters.contains($0) }.map { letter -> SQLText in
      let name = SQLText(Self.name(letter))
      guard let column else { return name }
      return "\(name) (\(column.quotedIdentifier))"
    }.joined(separator: ", ")
  }

  private static func name(_ letter: Character) -> String {
    switch letter {
    case "r": "SELECT"
    case "a": "INSERT"
    case "w": "UPDATE"
    case "d": "DELETE"
    case "D": "TRUNCATE"
    case "x": "REFERENCES"
    case "t": "TRIGGER"
    case "m": "MAINTAIN"
    case "X": "EXECUTE"
    case "U": "USAGE"
    case "C": "CREATE"
    case "T": "TEMPORARY"
    default: "CONNECT"
    }
  }
}
