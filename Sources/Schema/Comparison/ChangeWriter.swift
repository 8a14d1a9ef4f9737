import Postgres

/// Writes the statements for ``SchemaChanges``, object by object.
struct ChangeWriter {
  var statements: [SQLText] = []
  var byHand: [String] = []

  /// The statements of an object's SQL, one by one.
  static func statements(_ sql: SQLText) throws -> [SQLText] {
    var found: [SQLText] = []
    let lexer = SQLLexer()
    let handler = { (piece: SQLPiece) in
      guard case .statement(let statement) = piece else { return }
      found.append(statement.text.hasSuffix(";") ? statement.text : statement.text + ";")
    }
    try lexer.feed(sql.bytes, handler)
    try lexer.finish(handler)
    return found
  }

  mutating func drop(_ object: SchemaState.Object) throws {
    let parts = try Self.statements(object.sql)
    if let statement = Self.drop(object.key, parts) {
      statements.append(statement)
    } else if object.key.kind == .privileges {
      for part in parts { undo(part, object.key) }
    } else {
      byHand.append("drop \(object.key.words)")
    }
  }

  mutating func change(
    _ before: SchemaState.Object, into after: SchemaState.Object
  ) throws {
    guard before.sql != after.sql else { return }
    let old = try Self.statements(before.sql)
    let new = try Self.statements(after.sql)
    if before.key.kind.isTable {
      changeTable(before, after)
    } else if before.key.kind == .enumType {
      changeEnum(before, after)
    } else if let first = new.first, old.first != first, after.key.kind != .privileges {
      if after.key.kind == .function || after.key.kind == .procedure,
        first.hasPrefix("CREATE "), !first.hasPrefix("CREATE OR REPLACE ")
      {
        statements.append("CREATE OR REPLACE " + SQLText(bytes: first.bytes.dropFirst(7)))
      } else {
        try drop(before)
        statements += new
        return
      }
    }
    let head = after.key.kind == .privileges ? 0 : 1
    for statement in old.dropFirst(head) where !new.contains(statement) {
      undo(statement, after.key)
    }
    for statement in new.dropFirst(head) where !old.contains(statement) {
      statements.append(statement)
    }
  }

  private mutating func changeTable(_ before: SchemaState.Object, _ after: SchemaState.Object) {
    let table = Self.qualified(after.key)
    let (old, new) = (before.parts, after.parts)
    let oldColumns = Dictionary(old.columns, uniquingKeysWith: { $1 })
    let newColumns = Dictionary(new.columns, uniquingKeysWith: { $1 })
    for (name, _) in old.columns where newColumns[name] == nil {
      statements.append("ALTER TABLE \(table) DROP COLUMN \(name);")
    }
    for (name, element) in new.columns {
      guard let was = oldColumns[name] else {
        statements.append("ALTER TABLE \(table) ADD COLUMN \(element);")
        continue
      }
      guard was != element else { continue }
      let changes = ColumnChange(name: name, from: was, to: element).clauses
      guard !changes.isEmpty else {
        byHand.append("change column \(table).\(name) from \(was) to \(element)")
        continue
      }
      for change in changes { statements.append("ALTER TABLE \(table) \(change);") }
    }
    let (oldRules, newRules) = (Self.rules(old), Self.rules(new))
    for rule in oldRules where !newRules.contains(rule) {
      var words = NameReader(rule)
      if words.skip("CONSTRAINT"), let name = words.name() {
        statements.append("ALTER TABLE \(table) DROP CONSTRAINT \(name);")
      } else {
        byHand.append("take from table \(table): \(rule)")
      }
    }
    for rule in newRules where !oldRules.contains(rule) {
      statements.append("ALTER TABLE \(table) ADD \(rule);")
    }
    if old.head != new.head { byHand.append("make \(old.head) into \(new.head)") }
  }

  private static func rules(_ parts: ObjectParts) -> [SQLText] {
    parts.elements.filter { ObjectParts.columnName($0) == nil }
  }

  private mutating func changeEnum(_ before: SchemaState.Object, _ after: SchemaState.Object) {
    let type = Self.qualified(after.key)
    let (old, new) = (before.parts.elements, after.parts.elements)
    for label in old where !new.contains(label) {
      byHand.append("take the label \(label) from type \(type): PostgreSQL cannot")
    }
    for (position, label) in new.enumerated() where !old.contains(label) {
      let place: SQLText =
        position > 0
        ? " AFTER \(new[position - 1])" : old.first.map { " BEFORE \($0)" as SQLText } ?? ""
      statements.append("ALTER TYPE \(type) ADD VALUE \(label)\(place);")
    }
  }

  /// Takes back a statement that is no object of its own.
  private mutating func undo(_ statement: SQLText, _ key: SchemaState.Key) {
    var words = NameReader(statement)
    if words.skip("GRANT") {
      // GRANT rights ON what TO whom; a role's name can hold " TO " only in quotes.
      var text = SQLText(bytes: statement.bytes.dropFirst("GRANT ".utf8.count))
      if let range = text.string.lastRange(of: " TO ") {
        let plain = text.string
        text = SQLText(
          plain[..<range.lowerBound] + " FROM "
            + plain[range.upperBound...].replacing(" WITH GRANT OPTION", with: ""))
        return statements.append("REVOKE " + text)
      }
    }
    if words.skip("COMMENT"), let range = statement.string.firstRange(of: " IS ") {
      return statements.append(SQLText(statement.string[..<range.lowerBound] + " IS NULL;"))
    }
    // Another owner or setting stands in what replaces it.
    if words.skip("ALTER") { return }
    byHand.append("take back for \(key.words): \(statement)")
  }

  static func qualified(_ key: SchemaState.Key) -> SQLText {
    (key.schema.map { $0.quotedIdentifier + "." } ?? "") + key.name.quotedIdentifier
  }

  /// nil when nothing here knows how.
  private static func drop(_ key: SchemaState.Key, _ parts: [SQLText]) -> SQLText? {
    guard let first = parts.first else { return nil }
    // "ALTER FUNCTION public.f(integer) OWNER TO …" names the object as DROP wants it.
    for part in parts where key.kind != .partitionAttachment {
      guard part.hasPrefix("ALTER "), let range = part.string.firstRange(of: " OWNER TO ") else {
        continue
      }
      return SQLText("DROP " + part.string[..<range.lowerBound].dropFirst(6) + ";")
    }
    switch key.kind {
    case .index: return "DROP INDEX \(qualified(key));"
    case .extension: return "DROP EXTENSION \(key.name.quotedIdentifier);"
    case .extendedStatistics: return "DROP STATISTICS \(qualified(key));"
    case .rowSecurity:
      return SQLText(
        first.string.replacing(" ENABLE ", with: " DISABLE ").replacing(
          " FORCE ", with: " NO FORCE "))
    case .constraint, .foreignKey, .checkConstraint, .columnDefault, .partitionAttachment,
      .domainConstraint:
      return undoAlter(first)
    case .trigger, .policy, .rule: return dropOnTable(key.kind, first)
    case .publicationTable:
      return SQLText(first.string.replacing(" ADD TABLE ONLY ", with: " DROP TABLE ONLY "))
    default: return nil
    }
  }

  /// `ALTER TABLE t ADD CONSTRAINT c …`, `… ALTER COLUMN x SET DEFAULT …`, `… ATTACH PARTITION p …`.
  private static func undoAlter(_ statement: SQLText) -> SQLText? {
    var words = NameReader(statement)
    guard words.skip("ALTER") else { return nil }
    let isDomain = words.skip("DOMAIN")
    guard isDomain || words.skip("TABLE") || words.skip("FOREIGN") && words.skip("TABLE") else {
      return nil
    }
    _ = words.skip("ONLY")
    guard let table = words.name() else { return nil }
    let start: SQLText = "ALTER \(isDomain ? "DOMAIN" : "TABLE") \(table)"
    if words.skip("ADD"), words.skip("CONSTRAINT"), let name = words.name() {
      return "\(start) DROP CONSTRAINT \(name);"
    }
    if words.skip("ATTACH"), words.skip("PARTITION"), let name = words.name() {
      return "\(start) DETACH PARTITION \(name);"
    }
    if isDomain, words.skip("SET"), words.skip("DEFAULT") { return "\(start) DROP DEFAULT;" }
    if words.skip("ALTER"), words.skip("COLUMN"), let name = words.name() {
      return "\(start) ALTER COLUMN \(name) DROP DEFAULT;"
    }
    return nil
  }

  /// `CREATE TRIGGER t … ON table`, `CREATE POLICY p ON table`, `CREATE RULE r AS ON … TO table`.
  private static func dropOnTable(_ kind: ObjectKind, _ statement: SQLText) -> SQLText? {
    var words = NameReader(statement)
    guard words.skip("CREATE") else { return nil }
    _ = words.skip("CONSTRAINT")
    guard words.skip(kind.label), let name = words.name() else { return nil }
    let mark = kind == .rule ? "TO" : "ON"
    while !words.skip(mark) { guard words.next() else { return nil } }
    guard let table = words.name() else { return nil }
    return "DROP \(kind.label) \(name) ON \(table);"
  }
}
