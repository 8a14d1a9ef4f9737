import Postgres
import Testing

@Suite struct SQLLexerTests {
  private func statements(_ sql: String) throws -> [SQLStatement] {
    try PieceList(Array(sql.utf8)).statements
  }

  @Test(arguments: [
    ("SELECT 1;\n  SELECT 'abc", 2, 10), ("SELECT \"a;", 1, 8), ("/* /* */ ;", 1, 1),
    ("SELECT 1;\nDO $a$ $b$ ;", 2, 4), ("SELECT E'a\\';", 1, 9),
    ("SELECT 1;\nCOPY t FROM stdin;\n1\n", 2, 1), ("COPY t FROM stdin;", 1, 1),
    ("COPY t FROM stdin; SELECT 1;\n\\.\n", 1, 20), ("COPY t FROM stdin;\n1\n\\.x\n\\", 1, 1),
  ])
  func saysWhereAFileIsCutOff(sql: String, line: Int, column: Int) throws {
    let error = #expect(throws: PostgresError.self) { _ = try statements(sql) }
    #expect(error?.code == .invalidScript)
    #expect(error?.scriptPosition?.line == line)
    #expect(error?.scriptPosition?.column == column)
  }

  @Test func skipsAByteOrderMarkOnly() throws {
    #expect(try statements("\u{FEFF}SELECT 1;").map(\.text) == ["SELECT 1;"])
    // Fullwidth A begins with the same byte, U+FEFC with the same two.
    for start in ["\u{FF21}", "\u{FEFC}", "\u{FEFF}\u{FEFF}"] {
      let sql = Array("\(start);SELECT 1;".utf8)
      let whole = try PieceList(sql)
      #expect(whole.statements.count == 2)
      #expect(try PieceList(sql) { 1 } == whole)
    }
    #expect(try PieceList([0xEF, 0xBB]).statements.map(\.text.bytes) == [[0xEF, 0xBB]])
  }

  @Test func findsACharacterOfTheStatementInTheFile() throws {
    let sql = "-- é\n\nSELECT 'é',\r\n  é, nope\nFROM t;"
    let statement = try #require(try statements(sql).first)
    #expect(statement.position(ofCharacter: 1) == statement.start)
    // As the server counts: characters, a carriage return being one.
    let characters = Array(statement.text.string.unicodeScalars)
    let nope = try #require(characters.firstIndex(of: "p")) - 1
    let position = statement.position(ofCharacter: nope)
    #expect(position.line == 4)
    #expect(position.column == 6)
    #expect(Array(sql.utf8)[position.offset] == UInt8(ascii: "n"))
    #expect(statement.position(ofCharacter: 10_000).line == 5)
  }

  @Test func backslashesEscapeWhenTheFileSaysSo() throws {
    let lexer = SQLLexer()
    var texts: [String] = []
    func take(_ piece: SQLPiece) {
      guard case .statement(let statement) = piece else { return }
      texts.append(statement.text.string)
      if statement.begins(with: "set") { lexer.standardConformingStrings = false }
    }
    try lexer.feed(Array(#"SELECT '\';SET x;SELECT '\';';SELECT E'\';', B'1';"#.utf8), take)
    try lexer.finish(take)
    #expect(texts == [#"SELECT '\';"#, "SET x;", #"SELECT '\';';"#, #"SELECT E'\';', B'1';"#])
  }

  /// Any mixture of fragments, whole or in pieces, gives the same, and loses no byte of it.
  @Test func mixturesOfFragmentsInPiecesGiveTheSame() throws {
    let fragments = [
      "'", "''", "\"", "E'", "U&'", "u&\"", "$$", "$a$", "$", "a", "1", ";", ";\n", "\\", "\\.",
      "\\.\n", "\n", "\r\n", "--", "/*", "*/", "-", "/", "*", "(", ")", " ", "é", "BEGIN ATOMIC",
      "CASE ", " END ", "CREATE FUNCTION f() ", "COPY t FROM stdin;\n", "COPY t FROM stdin;",
      "SELECT ", "AS ", ".", "e", "b'", "N'",
    ].map { Array($0.utf8) }
    for seed in UInt64(1)...400 {
      var generator = SplitMix(state: seed)
      var sql: [UInt8] = []
      for _ in 0..<Int.random(in: 1...30, using: &generator) {
        sql += fragments[Int.random(in: 0..<fragments.count, using: &generator)]
      }
      let whole = Result { try PieceList(sql) }
      let pieces = Result { try PieceList(sql) { Int.random(in: 1...5, using: &generator) } }
      switch (whole, pieces) {
      case (.success(let whole), .success(let pieces)):
        #expect(whole == pieces, "seed \(seed)")
        for statement in whole.statements where !sql.contains(UInt8(ascii: "\\")) {
          #expect(Array(sql[statement.range]) == statement.text.bytes, "seed \(seed)")
        }
      case (.failure(let whole), .failure(let pieces)):
        #expect("\(whole)" == "\(pieces)", "seed \(seed)")
      default: Issue.record("seed \(seed): \(whole) against \(pieces)")
      }
    }
  }

  private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
      state &+= 0x9E37_79B9_7F4A_7C15
      var mixed = state
      mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
      mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
      return mixed ^ (mixed >> 31)
    }
  }
}
