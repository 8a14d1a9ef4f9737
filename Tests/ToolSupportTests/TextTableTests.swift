import Testing
import ToolSupport

@Suite struct TextTableTests {
  @Test func linesUpTextLeftAndNumbersRight() {
    var table = TextTable(["table", .number("rows"), "note"])
    table.add(["users", "12", "x"])
    table.add(["audit", "1,200"])
    #expect(
      table.text == """
        table   rows  note
        users     12  x
        audit  1,200

        """)
  }

  @Test func reckonsWithTheColumnsOfATerminal() {
    var table = TextTable(["name", "end"])
    table.add(["日本", "|"])
    table.add(["e\u{301}te\u{301}", "|"])
    table.add(["🚀a", "|"])
    let lines = table.text.split(separator: "\n")
    #expect(lines[1] == "日本  |")
    #expect(lines[2] == "e\u{301}te\u{301}   |")
    #expect(lines[3] == "🚀a   |")
  }

  @Test func neitherBreaksLinesNorSteersTheTerminal() {
    var table = TextTable(["name"])
    table.add(["a\nb\u{1B}[2Jc"])
    #expect(table.text == "name\na b [2Jc\n")
  }
}
