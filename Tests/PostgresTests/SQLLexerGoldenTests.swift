import Foundation
import Postgres
import Testing

/// Files of SQL in `Tests/Golden/SQLLexer` with what the lexer has to make of each, beside them.
/// With `PGKEEP_WRITE_GOLDEN` set the expectations are written instead, to be read in the diff.
@Suite struct SQLLexerGoldenTests {
  static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "Golden/SQLLexer")

  @Test(arguments: ["quotes", "dollars", "atomic", "copy", "crlf", "meta"])
  func splitsAsWritten(name: String) throws {
    let sql = try Data(contentsOf: Self.folder.appending(path: "\(name).sql"))
    let file = Self.folder.appending(path: "\(name).txt")
    let actual = try PieceList(Array(sql)).lines.joined(separator: "\n") + "\n"
    if ProcessInfo.processInfo.environment["PGKEEP_WRITE_GOLDEN"] != nil {
      try Data(actual.utf8).write(to: file)
    }
    #expect(actual == String(decoding: try Data(contentsOf: file), as: UTF8.self))
  }

  /// One byte a time, two a time, and at random: the same as in one go.
  @Test(arguments: ["quotes", "dollars", "atomic", "copy", "crlf", "meta"])
  func piecesOfAnySizeGiveTheSame(name: String) throws {
    let sql = Array(try Data(contentsOf: Self.folder.appending(path: "\(name).sql")))
    let whole = try PieceList(sql)
    #expect(try PieceList(sql) { 1 } == whole)
    #expect(try PieceList(sql) { 2 } == whole)
    var generator = SystemRandomNumberGenerator()
    for _ in 0..<50 {
      #expect(try PieceList(sql) { Int.random(in: 1...40, using: &generator) } == whole)
    }
  }

  /// What each statement says its range and position are is where its text is in the file.
  @Test(arguments: ["quotes", "dollars", "atomic", "copy", "crlf"])
  func rangesAreThoseOfTheFile(name: String) throws {
    let sql = Array(try Data(contentsOf: Self.folder.appending(path: "\(name).sql")))
    let statements = try PieceList(sql).statements
    #expect(!statements.isEmpty)
    for statement in statements {
      #expect(Array(sql[statement.range]) == statement.text.bytes)
      let before = String(decoding: sql[..<statement.range.lowerBound], as: UTF8.self)
      let lines = before.split(separator: /\n|\r\n/, omittingEmptySubsequences: false)
      #expect(statement.start.line == lines.count)
      #expect(statement.start.column == (lines.last?.unicodeScalars.count ?? 0) + 1)
    }
  }
}
