import Postgres
import Testing

@Suite struct QuotingTests {
  @Test(arguments: [
    ("users", "users"), ("_x1", "_x1"), ("Users", "\"Users\""), ("select", "\"select\""),
    ("user", "\"user\""), ("a b", "\"a b\""), ("a\"b", "\"a\"\"b\""), ("1a", "\"1a\""),
    ("", "\"\""), ("é", "\"é\""), ("a.b", "\"a.b\""), ("int", "\"int\""), ("name", "name"),
  ])
  func identifiers(name: String, quoted: String) {
    #expect(SQLText(name).quotedIdentifier.string == quoted)
  }

  @Test(arguments: [
    ("", "''"), ("a'b", "'a''b'"), ("a\\b", "E'a\\\\b'"), ("é\n", "'é\n'"), ("\\'", "E'\\\\'''"),
  ])
  func literals(value: String, quoted: String) {
    #expect(SQLText(value).quotedLiteral.string == quoted)
  }

  @Test func bytesThatAreNotUTF8StayWhole() {
    let latin = SQLText(bytes: [0x63, 0xE9])
    #expect(latin.quotedIdentifier.bytes == [0x22, 0x63, 0xE9, 0x22])
    #expect(("x\(latin)y" as SQLText).bytes == [0x78, 0x63, 0xE9, 0x79])
    let choice: SQLText = "x\(latin.isEmpty ? "" : "\(latin)y")"
    #expect(choice.bytes == [0x78, 0x63, 0xE9, 0x79])
  }
}
