import Postgres

/// The name of a table, view or the like with its schema, as a statement writes it.
struct RelationName: Hashable, Sendable {
  var schema: SQLText
  var name: SQLText

  init(schema: SQLText, name: SQLText) {
    self.schema = schema
    self.name = name
  }

  /// Reads `schema.name`, either of them in double quotes, from the beginning of `text`, after
  /// white space.
  ///
  /// - Returns: nil when there is something else, or no schema.
  init?(_ text: inout ArraySlice<UInt8>) {
    text = text.drop { $0 == 0x20 || (9...13).contains($0) }
    guard let schema = Self.identifier(&text), text.first == UInt8(ascii: ".") else { return nil }
    text.removeFirst()
    guard let name = Self.identifier(&text) else { return nil }
    self.init(schema: schema, name: name)
  }

  private static func identifier(_ text: inout ArraySlice<UInt8>) -> SQLText? {
    let quote = UInt8(ascii: "\"")
    var name: [UInt8] = []
    guard text.first == quote else {
      name = Array(text.prefix { SQLLexerRules.isBarePart($0) })
      text = text.dropFirst(name.count)
      return name.isEmpty ? nil : SQLText(bytes: name)
    }
    text.removeFirst()
    while let byte = text.popFirst() {
      if byte == quote {
        guard text.first == quote else { return SQLText(bytes: name) }
        text.removeFirst()
      }
      name.append(byte)
    }
    return nil
  }

  /// The relation that a statement makes: a table, a view, a materialized view, a foreign table;
  /// nil for every other statement.
  init?(madeBy statement: SQLStatement) {
    var rest = statement.words.dropFirst()
    guard statement.words.first == "create" else { return nil }
    if rest.starts(with: ["or", "replace"]) { rest = rest.dropFirst(2) }
    if let kind = rest.first, ["unlogged", "foreign", "materialized", "recursive"].contains(kind) {
      rest = rest.dropFirst()
    }
    guard let kind = rest.first, kind == "table" || kind == "view",
      var text = Self.text(after: rest.startIndex + 1, of: statement)
    else { return nil }
    self.init(&text)
  }

  /// The parent and the partition of an `ALTER TABLE … ATTACH PARTITION …`.
  static func attachment(_ statement: SQLStatement) -> (parent: RelationName, child: RelationName)?
  {
    guard statement.begins(with: "alter", "table") else { return nil }
    let words = statement.words.dropFirst(2).first == "only" ? 3 : 2
    guard var text = text(after: words, of: statement), let parent = RelationName(&text) else {
      return nil
    }
    let keyword = Array(" ATTACH PARTITION ".utf8)
    guard text.starts(with: keyword) else { return nil }
    text = text.dropFirst(keyword.count)
    return RelationName(&text).map { (parent, $0) }
  }

  /// The table that an `ALTER TABLE` is about.
  init?(alteredBy statement: SQLStatement) {
    guard statement.begins(with: "alter", "table") else { return nil }
    let words = statement.words.dropFirst(2).first == "only" ? 3 : 2
    guard var text = Self.text(after: words, of: statement) else { return nil }
    self.init(&text)
  }

  /// What follows the first words of a statement.
  private static func text(after words: Int, of statement: SQLStatement) -> ArraySlice<UInt8>? {
    var text = statement.text.bytes[...]
    for _ in 0..<words {
      text = text.drop { !SQLLexerRules.isBarePart($0) }.drop { SQLLexerRules.isBarePart($0) }
    }
    return text.isEmpty ? nil : text
  }
}

/// What the bytes of a bare identifier are.
private enum SQLLexerRules {
  static func isBarePart(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: "_") || byte == UInt8(ascii: "$") || byte >= 0x80
      || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
      || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
  }
}
