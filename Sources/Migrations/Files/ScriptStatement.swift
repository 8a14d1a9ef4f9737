import Crypto
import Postgres

/// One statement of a migration script.
struct ScriptStatement {
  let statement: SQLStatement
  /// The rows behind a `COPY … FROM STDIN`.
  var rows: [UInt8]?
  /// From 1.
  let ordinal: Int

  /// SHA-256 over the statement and its rows, in hexadecimal.
  var checksum: String {
    (try? Digest.hash(.sha256, statement.text.bytes + (rows ?? []))).map { Hex.encode($0) } ?? ""
  }
}

extension MigrationScript {
  /// Splits the script.
  ///
  /// - Throws: ``MigrationsError/Code/invalidFiles`` with every statement that has no place in a
  ///   migration.
  func statements() throws(MigrationsError) -> [ScriptStatement] {
    var statements: [ScriptStatement] = []
    var problems: [MigrationProblem] = []
    func note(_ line: Int?, _ message: String) {
      problems.append(MigrationProblem(file: source, line: line, message: message))
    }
    let handler = { (piece: SQLPiece) in
      switch piece {
      case .statement(let statement):
        if let reason = Self.refusal(statement) { note(statement.start.line, reason) }
        statements.append(
          ScriptStatement(
            statement: statement, rows: statement.isCopyFromStdin ? [] : nil,
            ordinal: statements.count + 1))
      case .copyData(let bytes):
        if let last = statements.indices.last { statements[last].rows?.append(contentsOf: bytes) }
      case .copyEnd: break
      case .metacommand(let command):
        note(
          command.start.line,
          "\\\(command.name) is a command of psql; a migration holds SQL statements only")
      }
    }
    do {
      let lexer = SQLLexer()
      try lexer.feed(text.bytes, handler)
      try lexer.finish(handler)
      if statements.isEmpty, problems.isEmpty { note(nil, "the file holds no statement") }
    } catch let error as PostgresError {
      note(error.scriptPosition?.line, error.message)
    } catch {
      note(nil, "\(error)")
    }
    guard problems.isEmpty else {
      throw MigrationsError(
        .invalidFiles, "The migration \(source) cannot be run:", problems: problems)
    }
    return statements
  }

  /// Why a statement has no place in a migration; nil when it has.
  private static func refusal(_ statement: SQLStatement) -> String? {
    guard statement.isTransactionControl, let word = statement.words.first else { return nil }
    let isInner =
      word == "savepoint" || word == "release"
      || word == "rollback" && statement.words.contains("to")
    guard !isInner else { return nil }
    return
      "\(word.uppercased()) has no place in a migration: pgkeep itself makes each migration one "
      + "transaction, or none where the file says -- pgkeep: no-transaction. Make one file for "
      + "each transaction."
  }
}
