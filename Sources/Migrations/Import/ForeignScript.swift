import Postgres

/// SQL that was written for another tool, made fit for ours.
///
/// A script that brings its own transaction loses BEGIN and COMMIT, since pgkeep makes each
/// migration one; one that cannot run in a transaction is marked so.
struct ForeignScript {
  private(set) var text: SQLText
  private(set) var isTransactional: Bool
  private(set) var isEmpty = false

  /// - Throws: a problem for people.
  init(
    _ bytes: [UInt8], source: String, isTransactional: Bool = true
  ) throws(MigrationsError) {
    var problems: [MigrationProblem] = []
    let script = MigrationScript(source: source, bytes: bytes, problems: &problems)
    guard problems.isEmpty else {
      throw MigrationsError(.invalidFiles, "", problems: problems)
    }
    self.isTransactional = isTransactional
    text = script.text
    var pieces: [SQLStatement] = []
    var commands: [SQLMetacommand] = []
    do {
      let lexer = SQLLexer()
      let handler = { (piece: SQLPiece) in
        if case .statement(let statement) = piece { pieces.append(statement) }
        if case .metacommand(let command) = piece { commands.append(command) }
      }
      try lexer.feed(script.text.bytes, handler)
      try lexer.finish(handler)
    } catch {
      let reason = (error as? PostgresError)?.message ?? "\(error)"
      throw Self.problem(source, nil, reason)
    }
    if let command = commands.first {
      throw Self.problem(source, command.start.line, "\\\(command.name) is a command of psql")
    }
    try unwrap(&pieces, source)
    isEmpty = pieces.isEmpty
    if pieces.contains(where: NeedsAutocommit.isKnown) { self.isTransactional = false }
  }

  /// Takes a BEGIN at the start and a COMMIT at the end away.
  private mutating func unwrap(
    _ statements: inout [SQLStatement], _ source: String
  ) throws(MigrationsError) {
    func isControl(_ statement: SQLStatement) -> Bool {
      guard statement.isTransactionControl, let word = statement.words.first else { return false }
      return !(word == "savepoint" || word == "release" || statement.words.contains("to"))
    }
    let controls = statements.filter(isControl)
    guard let first = controls.first else { return }
    let isWrapped =
      controls.count == 2 && statements.first == first && statements.last == controls[1]
      && ["begin", "start"].contains(first.words.first)
      && ["commit", "end"].contains(controls[1].words.first)
    guard isWrapped else {
      throw Self.problem(
        source, first.start.line,
        "it makes transactions of its own in its middle; divide it into several migrations")
    }
    for statement in [controls[1], first] {
      var range = statement.range
      if range.upperBound < text.bytes.count, text.bytes[range.upperBound] == 0x0A {
        range = range.lowerBound..<range.upperBound + 1
      }
      text.bytes.removeSubrange(range)
    }
    statements = Array(statements.dropFirst().dropLast())
  }

  static func problem(_ source: String, _ line: Int?, _ message: String) -> MigrationsError {
    MigrationsError(
      .invalidFiles, "",
      problems: [MigrationProblem(file: source, line: line, message: message)])
  }
}
