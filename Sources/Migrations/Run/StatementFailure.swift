public import Postgres

/// A statement of a migration that the server refused, and where it stands.
public struct StatementFailure: Hashable, Sendable, CustomStringConvertible {
  /// The file, or what else tells where the text is.
  public var file: String
  public var line: Int
  /// In characters, from 1; nil when the server gave no place within the statement.
  public var column: Int?
  /// The line itself.
  public var lineText: String
  /// Which statement of the file, from 1.
  public var ordinal: Int
  public var server: ServerMessage

  /// - Parameter isVerbatim: whether the file's text is what the server was sent.
  init(
    _ statement: ScriptStatement, of script: MigrationScript, _ server: ServerMessage,
    isVerbatim: Bool = true
  ) {
    file = script.source
    ordinal = statement.ordinal
    self.server = server
    var place = statement.statement.start
    column = nil
    if let position = server.position, isVerbatim {
      place = statement.statement.position(ofCharacter: position)
      column = place.column
    } else if let row = Self.copyRow(server.context), statement.rows != nil {
      // The rows begin on the line behind the one that the statement ends on.
      let newlines = statement.statement.text.bytes.count { $0 == 0x0A }
      place.line += newlines + row
    }
    line = place.line
    lineText = String(decoding: TextPosition.line(line, of: script.text.bytes), as: UTF8.self)
  }

  /// `COPY t, line 3, column n: "x"`: the 3.
  private static func copyRow(_ context: String?) -> Int? {
    guard let context, context.hasPrefix("COPY "), let mark = context.firstRange(of: ", line ")
    else { return nil }
    return Int(context[mark.upperBound...].prefix { $0.isNumber })
  }

  public var description: String {
    let place = column.map { "\(file):\(line):\($0)" } ?? "\(file):\(line)"
    var text = "\(place): \(server.severity): \(server.message) (SQLSTATE \(server.sqlState))"
    let number = "\(line)"
    // A tab stays a tab under its line, so that the caret meets its column.
    text += "\n  \(number) | \(lineText)"
    if let column {
      let padding = lineText.unicodeScalars.prefix(column - 1).map { $0 == "\t" ? "\t" : " " }
      text += "\n  \(number.map { _ in " " }.joined()) | \(padding.joined())^"
    }
    if let detail = server.detail { text += "\nDETAIL: \(detail)" }
    if let hint = server.hint { text += "\nHINT: \(hint)" }
    if let query = server.internalQuery { text += "\nQUERY: \(query)" }
    if let context = server.context { text += "\nCONTEXT: \(context)" }
    return text
  }
}
