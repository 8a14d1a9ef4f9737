public import ByteStream
import Gzip
public import Postgres
public import Repository

/// Makes a backup's roles and tablespaces on a server. Blocks the calling thread.
public struct GlobalsRestore: Sendable {
  /// What was done.
  public struct Report: Sendable {
    public var statements = 0
    /// Roles and tablespaces that were there already, and were left as they are.
    public var kept: [String] = []
  }

  private let target: ConnectionTarget
  private let overwrites: Bool
  private let cancellation: Cancellation

  /// - Parameters:
  ///   - target: any database of the cluster.
  ///   - overwrites: whether roles that exist get the backup's attributes, passwords and settings.
  ///     Otherwise they are left as they are, and get memberships only.
  public init(_ target: ConnectionTarget, overwrites: Bool, cancellation: Cancellation) {
    self.target = target
    self.overwrites = overwrites
    self.cancellation = cancellation
  }

  /// Makes the roles in one transaction, then the tablespaces, which can be in none.
  ///
  /// - Parameters:
  ///   - file: the object, decrypted.
  ///   - manifest: what tells the names.
  /// - Throws: ``LogicalBackupError``, `PostgresError`. No error holds a password.
  public func restore(_ file: LogicalFileReader, _ manifest: GlobalsManifest) throws -> Report {
    var statements = try read(file)
    let connection = try Connection(
      target, ConnectionOptions(applicationName: "pgkeep restore"), cancellation: cancellation)
    defer { connection.close() }
    if connection.majorVersion < 16 {
      let membership = OlderMembership(
        statements.map(\.text), roles: manifest.roles.map { SQLText($0) })
      for index in statements.indices {
        statements[index].text = try membership.sql(statements[index].text)
      }
    }
    var report = Report()
    let existing = try Existing(connection)
    let kept =
      overwrites ? [] : manifest.roles.map { SQLText($0) }.filter(existing.roles.contains)
    let spaces = manifest.tablespaces.map { SQLText($0) }.filter(existing.tablespaces.contains)
    report.kept =
      kept.map { "role \($0)" } + spaces.map { "tablespace \($0)" }
    var later: [SQLStatement] = []
    try connection.transaction {
      for statement in statements {
        if Self.isOfTablespace(statement) {
          later.append(statement)
          continue
        }
        if kept.contains(where: { Self.isAbout($0, statement) }) { continue }
        try run(statement, connection)
        report.statements += 1
      }
    }
    for statement in later
    where !spaces.contains(where: { Self.isAbout(tablespace: $0, statement) }) {
      try run(statement, connection)
      report.statements += 1
    }
    return report
  }

  /// What the server has already.
  private struct Existing {
    var roles: Set<SQLText> = []
    var tablespaces: Set<SQLText> = []

    init(_ connection: Connection) throws {
      let rows = try connection.query(
        """
        SELECT true, rolname FROM pg_catalog.pg_roles
        UNION ALL SELECT false, spcname FROM pg_catalog.pg_tablespace
        """)
      for row in 0..<rows.rowCount {
        guard let name = rows[row, 1] else { continue }
        if rows.bool(row, 0) { roles.insert(name) } else { tablespaces.insert(name) }
      }
    }
  }

  private func read(_ file: LogicalFileReader) throws -> [SQLStatement] {
    var statements: [SQLStatement] = []
    let lexer = SQLLexer()
    let take: (SQLPiece) throws -> Void = { piece in
      guard case .statement(let statement) = piece, statement.endsWithSemicolon else {
        throw LogicalBackupError(
          .damaged, "\(file.name) holds something other than statements.", object: file.name)
      }
      statements.append(statement)
    }
    let source = GzipReader(file.stream())
    let buffer = Block(capacity: 64 << 10)
    while true {
      let count = try source.read(into: buffer.room)
      guard count > 0 else { break }
      buffer.advance(by: count)
      try lexer.feed(buffer.bytes, take)
      buffer.reset()
    }
    try lexer.finish(take)
    return statements
  }

  private func run(_ statement: SQLStatement, _ connection: Connection) throws {
    do { try connection.run(statement.text) } catch let error as PostgresError
      where error.code == .server
    {
      // The statement may hold a password.
      let words = statement.text.bytes.prefix { $0 != UInt8(ascii: "'") && $0 != 10 }.prefix(120)
      throw LogicalBackupError(
        .statementFailed,
        "The server refused \(SQLText(bytes: words).string). Roles are made all or none; to leave "
          + "those that exist as they are, restore without --overwrite.", cause: error)
    }
  }

  // MARK: Whom a statement is about

  private static func isOfTablespace(_ statement: SQLStatement) -> Bool {
    let words = statement.words
    return words.dropFirst().first == "tablespace"
      || words.starts(with: ["comment", "on", "tablespace"])
      || words.starts(with: ["grant", "create", "on", "tablespace"])
      || words.starts(with: ["revoke", "all", "on", "tablespace"])
  }

  private static func isAbout(_ role: SQLText, _ statement: SQLStatement) -> Bool {
    let text = statement.text
    let name = role.quotedIdentifier
    if text.hasPrefix("DO ") {
      return text.bytes.firstRange(of: Globals.creation(of: role).bytes) != nil
    }
    return text.hasPrefix("ALTER ROLE \(name) ") || text.hasPrefix("COMMENT ON ROLE \(name) ")
  }

  private static func isAbout(tablespace: SQLText, _ statement: SQLStatement) -> Bool {
    let name = tablespace.quotedIdentifier
    return ["CREATE", "ALTER", "COMMENT ON", "GRANT CREATE ON", "REVOKE ALL ON"].contains {
      statement.text.hasPrefix("\(SQLText($0)) TABLESPACE \(name) ")
    }
  }
}
