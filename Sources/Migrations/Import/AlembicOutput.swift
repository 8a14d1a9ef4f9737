import Postgres

/// The SQL that Alembic's offline mode writes, divided by revision, without what it writes about
/// its own table and its transactions.
struct AlembicOutput {
  struct Section {
    var text: SQLText
    /// False when something of it stands in an autocommit block.
    var isTransactional: Bool
    static let empty = Section(text: "", isTransactional: true)
  }

  /// By revision.
  var sections: [String: Section] = [:]
  /// The one that the output ends in.
  private(set) var lastRevision: String?

  init(_ output: [UInt8], isUp: Bool) throws {
    var statements: [SQLStatement] = []
    let lexer = SQLLexer()
    let handler = { (piece: SQLPiece) in
      if case .statement(let statement) = piece { statements.append(statement) }
    }
    try lexer.feed(output, handler)
    try lexer.finish(handler)

    let marks = Self.marks(output, isUp)
    lastRevision = marks.last?.revision
    let usesTransactions = statements.contains { $0.words.first == "begin" }
    let versionTable = statements.first { statement in
      marks.first.map { statement.start.offset < $0.offset } ?? true
        && statement.begins(with: "create", "table")
    }.flatMap { statement -> SQLText? in
      var names = SQLNames(statement)
      return names.skip("create", "table") ? names.name() : nil
    }
    var isInTransaction = false
    for mark in marks { sections[mark.revision] = .empty }
    for statement in statements {
      switch statement.words.first {
      case "begin" where statement.isTransactionControl:
        isInTransaction = true
        continue
      case "commit" where statement.isTransactionControl:
        isInTransaction = false
        continue
      default: break
      }
      guard let mark = marks.last(where: { $0.offset < statement.start.offset }),
        !Self.isOwn(statement, versionTable ?? "alembic_version")
      else { continue }
      if usesTransactions, !isInTransaction { sections[mark.revision]?.isTransactional = false }
      var text = statement.text
      if !statement.endsWithSemicolon { text += ";" }
      if sections[mark.revision]?.text.isEmpty == false { sections[mark.revision]?.text += "\n" }
      sections[mark.revision]?.text += text + "\n"
    }
  }

  /// `-- Running upgrade A -> B, message`: where, and the revision that is made or undone.
  private static func marks(_ output: [UInt8], _ isUp: Bool) -> [(offset: Int, revision: String)] {
    let word = isUp ? "-- Running upgrade " : "-- Running downgrade "
    var marks: [(Int, String)] = []
    var offset = 0
    for line in output.split(separator: 0x0A, omittingEmptySubsequences: false) {
      defer { offset += line.count + 1 }
      guard line.starts(with: word.utf8) else { continue }
      let text = String(decoding: line, as: UTF8.self).dropFirst(word.count)
      guard let arrow = text.firstRange(of: "->") else { continue }
      let side = isUp ? text[arrow.upperBound...] : text[..<arrow.lowerBound]
      let revision = side.drop { $0 == " " }.prefix { $0 != " " && $0 != "," }
      marks.append((offset, String(revision)))
    }
    return marks
  }

  /// Whether a statement only keeps Alembic's own table.
  private static func isOwn(_ statement: SQLStatement, _ table: SQLText) -> Bool {
    var names = SQLNames(statement)
    let isAbout =
      names.skip("insert", "into") || names.skip("update") || names.skip("delete", "from")
      || names.skip("create", "table") || names.skip("drop", "table")
    guard isAbout, let name = names.name() else { return false }
    return name == table || name == "alembic_version"
  }
}
