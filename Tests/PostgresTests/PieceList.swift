import Postgres

/// What a lexer finds in a file, gathered, with pieces of COPY data joined.
struct PieceList: Equatable {
  private(set) var lines: [String] = []
  private(set) var statements: [SQLStatement] = []

  /// - Parameter chunk: how many bytes to feed next; all at once when nil.
  init(_ sql: [UInt8], chunk: (() -> Int)? = nil) throws {
    let lexer = SQLLexer()
    var rows: [UInt8] = []
    func handle(_ piece: SQLPiece) {
      switch piece {
      case .statement(let statement):
        statements.append(statement)
        var marks = statement.endsWithSemicolon ? "" : " unended"
        if statement.isCopyFromStdin { marks += " copy" }
        if statement.isTransactionControl { marks += " transaction" }
        lines.append(
          "\(statement.start)\(marks) [\(statement.words.joined(separator: " "))] "
            + "\(statement.text.string.debugDescription)")
      case .copyData(let bytes): rows.append(contentsOf: bytes)
      case .copyEnd:
        lines.append("  rows \(String(decoding: rows, as: UTF8.self).debugDescription)")
        rows = []
      case .metacommand(let command):
        let place = command.isInsideStatement ? " inside" : ""
        lines.append(
          "\(command.start)\(place) metacommand \(command.name) \(command.arguments)")
      }
    }
    var start = 0
    while start < sql.count {
      let count = min(sql.count - start, chunk?() ?? sql.count)
      try lexer.feed(Array(sql[start..<(start + count)]), handle)
      start += count
    }
    try lexer.finish(handle)
  }
}
