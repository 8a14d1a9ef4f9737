import Glibc
import Postgres

/// Runs statements of a backup on one connection: many small ones at a time, and each on its own
/// when one of them fails, to know which.
final class StatementRunner {
  private let connection: Connection
  private let rules: StatementRules
  /// Runs first in each transaction.
  private let prefix: SQLText
  /// What errors call the file.
  private let name: String
  private var batch: [SQLStatement] = []
  private var batchBytes = 0

  /// How many statements were run.
  private(set) var count = 0
  /// What was passed over, and why.
  private(set) var skipped: [String] = []
  /// What was run with a `search_path` in a second attempt.
  private(set) var notes: [String] = []
  /// What the statements are for now, and its schema, when they may be tried once more with a
  /// `search_path`.
  var retried: (object: String, schema: SQLText?)?
  /// How many more were passed over, of a backup of which a part is restored.
  private(set) var unselected = 0

  private static let largestBatch = 200
  private static let largestBatchBytes = 256 << 10
  private static let attempts = 6

  init(_ connection: Connection, rules: StatementRules, prefix: SQLText, name: String) {
    self.connection = connection
    self.rules = rules
    self.prefix = prefix
    self.name = name
  }

  /// Runs the statements of a text of a pgkeep file without rows in it.
  func run(_ text: UnsafeRawBufferPointer) throws {
    try Self.forEachStatement(text, name, add)
    try flush()
  }

  /// Gives the statements of a text of a pgkeep file without rows in it.
  ///
  /// - Throws: ``LogicalBackupError/Code/damaged`` when something else is found there.
  static func forEachStatement(
    _ text: UnsafeRawBufferPointer, _ name: String, _ body: (SQLStatement) throws -> Void
  ) throws {
    let lexer = SQLLexer()
    func handle(_ piece: SQLPiece) throws {
      guard case .statement(let statement) = piece, statement.endsWithSemicolon,
        !statement.isCopyFromStdin
      else {
        throw LogicalBackupError(
          .damaged, "\(name) is damaged: something else stands where its statements should.",
          object: name)
      }
      try body(statement)
    }
    do {
      try lexer.feed(text, handle)
      try lexer.finish(handle)
    } catch let error as PostgresError where error.code == .invalidScript {
      throw LogicalBackupError(
        .damaged, "\(name) is damaged: its statements cannot be told apart.", object: name,
        cause: error)
    }
  }

  /// Takes a statement, which is run now or together with later ones.
  func add(_ statement: SQLStatement) throws {
    if rules.omits(statement) { return pass(over: statement, "left out as asked") }
    if statement.isTransactionControl || connection.isInTransaction {
      try flush()
      return try runAlone(statement)
    }
    batch.append(statement)
    batchBytes += statement.text.bytes.count
    if batch.count >= Self.largestBatch || batchBytes >= Self.largestBatchBytes { try flush() }
  }

  /// Runs what waits.
  func flush() throws {
    let statements = batch
    batch = []
    batchBytes = 0
    guard statements.count > 1 else { return try statements.forEach(runAlone) }
    do {
      try runText(statements.map(\.text).joined(separator: "\n"))
      count += statements.count
    } catch let error as PostgresError where error.code == .server && connection.isUsable {
      // Statements that come in one text are one transaction: none of them has been done.
      try statements.forEach(runAlone)
    }
  }

  /// Runs one statement, unless it may be passed over.
  private func runAlone(_ statement: SQLStatement) throws {
    do {
      try runText(statement.text)
      count += 1
    } catch let error as PostgresError where error.code == .server {
      if try retryWithSearchPath(statement, error) { return }
      if let server = error.server, !connection.isInTransaction,
        let reason = rules.reasonToPassOver(statement, server)
      {
        return pass(over: statement, reason)
      }
      throw failure(statement, error)
    }
  }

  /// - Returns: whether that was allowed and went well.
  private func retryWithSearchPath(
    _ statement: SQLStatement, _ error: PostgresError
  ) throws -> Bool {
    guard let retried, !connection.isInTransaction,
      let function = error.server.flatMap(SearchPathRetry.function)
    else { return false }
    let path = try SearchPathRetry.path(retried.schema, connection)
    do { try runText("SET LOCAL search_path = \(path); \(statement.text)") } catch let error
      as PostgresError where error.code == .server
    {
      return false
    }
    count += 1
    notes.append(SearchPathRetry.note(retried.object, function, path))
    return true
  }

  private func pass(over statement: SQLStatement, _ reason: String) {
    if rules.isUnselected(statement) {
      unselected += 1
    } else {
      skipped.append("\(Self.headline(statement)) (\(reason))")
    }
  }

  /// Runs a text as one transaction, or as a part of the one that is open. After a deadlock, of
  /// which nothing is left, it is tried again: autovacuum's locks, for one, may cross ours.
  private func runText(_ text: SQLText) throws {
    for attempt in 1...Self.attempts {
      do { return try connection.run(prefix + text) } catch let error as PostgresError
        where error.sqlState == .deadlockDetected && attempt < Self.attempts
        && !connection.isInTransaction
      {
        usleep(UInt32(attempt) * 100_000)
      }
    }
  }

  /// The error for a statement that failed: file, line, column, the statement, the server's words.
  func failure(_ statement: SQLStatement, _ error: PostgresError) -> LogicalBackupError {
    let prefixLength = prefix.bytes.count { $0 & 0xC0 != 0x80 }
    let place =
      error.server?.position.map { statement.position(ofCharacter: $0 - prefixLength) }
      ?? statement.start
    return LogicalBackupError(
      .statementFailed,
      "\(name), \(place): the server refused \(Self.headline(statement))",
      cause: error)
  }

  /// The beginning of a statement, on one line.
  static func headline(_ statement: SQLStatement) -> String {
    let words = statement.text.string.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    return words.count > 120 ? words.prefix(117) + "..." : words
  }
}
