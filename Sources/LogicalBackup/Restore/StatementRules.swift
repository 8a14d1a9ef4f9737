import Postgres

/// Which statements of a backup are left out, and which may fail without losing anything.
struct StatementRules: Sendable {
  var omitsOwners = false
  var omitsPrivileges = false
  /// What is restored of a backup; nil for all of it.
  var selection: RestoreSelection?
  /// Whether the backup is one of chosen tables or schemas, so that what belongs to a table may
  /// name what the backup does not hold.
  var isOfPart = false

  /// Whether the statement is not to be run at all, as the caller asked.
  func omits(_ statement: SQLStatement) -> Bool {
    if let selection, selection.omits(statement) { return true }
    switch statement.words.first {
    case "grant", "revoke": return omitsPrivileges
    case "alter":
      if omitsPrivileges, statement.begins(with: "alter", "default", "privileges") { return true }
      return omitsOwners && Self.setsOwner(statement)
    case "do":
      // Of a pgkeep file: the check for roles at its beginning, some of which are not needed now,
      // and the owners of large objects.
      return omitsPrivileges && Self.holds(statement, "  EXECUTE 'REVOKE ALL ON DATABASE '\n")
        || omitsPrivileges && Self.holds(statement, "  EXECUTE 'GRANT ")
        || (omitsOwners || omitsPrivileges) && Self.holds(statement, "this server lacks roles")
        || omitsOwners && Self.holds(statement, "EXECUTE 'ALTER LARGE OBJECT ' || o || ' OWNER TO")
    case "set" where statement.begins(with: "set", "role"):
      // Of a pgkeep file: around a grant by another role than the owner.
      return omitsPrivileges
    case "set": return omitsOwners && statement.begins(with: "set", "session", "authorization")
    default: return false
    }
  }

  private static func holds(_ statement: SQLStatement, _ words: String) -> Bool {
    statement.text.bytes.firstRange(of: Array(words.utf8)) != nil
  }

  /// Whether it is an `ALTER … OWNER TO role;`.
  static func setsOwner(_ statement: SQLStatement) -> Bool {
    var rest = statement.text.bytes[...]
    func trimEnd() {
      while let last = rest.last, last == 0x20 || (9...13).contains(last) { rest.removeLast() }
    }
    func dropWord(_ word: String) -> Bool {
      trimEnd()
      let tail = rest.suffix(word.utf8.count)
      guard SQLText(bytes: tail).string.lowercased() == word else { return false }
      rest.removeLast(tail.count)
      return true
    }
    guard statement.words.first == "alter" else { return false }
    if statement.endsWithSemicolon { rest.removeLast() }
    trimEnd()
    if rest.last == UInt8(ascii: "\"") {
      rest.removeLast()
      // Back to the quote that opens the name; doubled ones are part of it.
      while let quote = rest.lastIndex(of: UInt8(ascii: "\"")) {
        let isDoubled = quote > rest.startIndex && rest[quote - 1] == UInt8(ascii: "\"")
        rest = rest[..<(isDoubled ? quote - 1 : quote)]
        if !isDoubled { break }
      }
    } else {
      let isName: (UInt8) -> Bool = { $0 != 0x20 && !(9...13).contains($0) }
      rest = rest.prefix(rest.count - rest.reversed().prefix(while: isName).count)
    }
    return dropWord("to") && dropWord("owner")
  }

  /// Why a statement that failed may be passed over; nil when it may not.
  ///
  /// Only where the target has the thing already, as managed servers have their extensions and the
  /// schema `public`, and nothing is lost but who owns it or what is said about it; and settings
  /// that another version of the server does not have.
  func reasonToPassOver(_ statement: SQLStatement, _ error: ServerMessage) -> String? {
    if selection != nil, RestoreSelection.isConsequence(error), !Self.makesTable(statement) {
      return "it names something that was not asked for"
    }
    if isOfPart, RestoreSelection.isConsequence(error), Self.belongsToTable(statement) {
      return "it names something that the backup does not hold"
    }
    let isForbidden = error.sqlState == .insufficientPrivilege
    let words = statement.words
    switch words.first {
    case "comment" where isForbidden && words.starts(with: ["comment", "on", "extension"]):
      return "the extension was there already and belongs to another role"
    case "comment" where isForbidden && words.starts(with: ["comment", "on", "schema", "public"]):
      return "the schema public belongs to another role here"
    case "create" where error.sqlState == "42P06" && Self.isPublicSchema(words.dropFirst()):
      return "the schema was there already"
    case "alter"
    where (isForbidden || error.sqlState == .undefinedObject)
      && Self.isPublicSchema(words.dropFirst()) && Self.setsOwner(statement):
      return "the schema public belongs to another role here"
    case "set" where error.sqlState == .undefinedObject && words.count > 1:
      return "this version of the server has no such setting"
    default: return nil
    }
  }

  /// Whether nobody misses the statement: it is about something that was not asked for.
  func isUnselected(_ statement: SQLStatement) -> Bool {
    guard let selection else { return false }
    let relation = RelationName(madeBy: statement) ?? RelationName(alteredBy: statement)
    return relation.map { !selection.contains($0) } ?? true
  }

  /// Whether it makes something that a table can do without: a foreign key, a trigger, a rule, a
  /// policy.
  private static func belongsToTable(_ statement: SQLStatement) -> Bool {
    let words = statement.words
    switch words.first {
    case "alter": return holds(statement, " FOREIGN KEY (")
    case "create":
      return ["trigger", "rule", "policy"].contains(words.dropFirst().first)
        || words.starts(with: ["create", "constraint", "trigger"])
    default: return false
    }
  }

  private static func makesTable(_ statement: SQLStatement) -> Bool {
    RelationName(madeBy: statement) != nil && statement.words.contains("table")
  }

  private static func isPublicSchema(_ words: ArraySlice<String>) -> Bool {
    words.starts(with: ["schema", "public"])
  }
}
