import Postgres

/// A membership of 16 and later in the words of 15, which has neither `INHERIT` nor `SET`: there
/// every member may `SET ROLE`, and inherits when it is itself made to.
struct OlderMembership {
  /// The roles of the backup, quoted, that do not inherit.
  private let withoutInheritance: Set<SQLText>
  private let roles: [SQLText]

  /// - Parameter statements: all of the backup.
  init(_ statements: [SQLText], roles: [SQLText]) {
    self.roles = roles.map(\.quotedIdentifier)
    withoutInheritance = Set(
      self.roles.filter { role in
        statements.contains { $0.hasPrefix("ALTER ROLE \(role) WITH NOINHERIT ") }
      })
  }

  /// - Returns: the statement as it is when it is no membership with options.
  /// - Throws: ``LogicalBackupError/Code/unsupported`` for what 15 cannot express.
  func sql(_ statement: SQLText) throws -> SQLText {
    for role in roles where statement.hasPrefix("GRANT ") {
      let target: SQLText = " TO \(role)"
      for isAdmin in [true, false] {
        for inherits in [true, false] {
          for maySet in [true, false] {
            let options: SQLText = """
               WITH ADMIN \(Self.word(isAdmin)), INHERIT \(Self.word(inherits)), \
              SET \(Self.word(maySet))
              """
            let written = target + options
            guard let range = statement.bytes.firstRange(of: written.bytes) else { continue }
            guard maySet, inherits != withoutInheritance.contains(role) else {
              throw Self.refusal(statement)
            }
            let option: SQLText = isAdmin ? " WITH ADMIN OPTION" : ""
            return SQLText(bytes: statement.bytes[..<range.lowerBound]) + target + option
              + SQLText(bytes: statement.bytes[range.upperBound...])
          }
        }
      }
    }
    return statement
  }

  private static func word(_ value: Bool) -> SQLText { value ? "TRUE" : "FALSE" }

  private static func refusal(_ statement: SQLText) -> LogicalBackupError {
    LogicalBackupError(
      .unsupported,
      "A server before 16 has no such membership, so nothing was made: \(statement.string) There "
        + "every member may SET ROLE, and inherits when it is itself made WITH INHERIT. Restore "
        + "into 16 or later, or change the membership and take the backup again.")
  }
}
