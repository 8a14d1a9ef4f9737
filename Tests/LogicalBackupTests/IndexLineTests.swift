import Postgres
import Testing

@testable import LogicalBackup

@Suite struct IndexLineTests {
  private func parse(_ text: String) -> IndexValue? { IndexParser.parse(Array(text.utf8)[...]) }

  @Test("Every string comes back, as ASCII that Python reads too")
  func strings() throws {
    let values: [SQLText] = [
      "", "plain", "\"\\/\u{8}\u{c}\n\r\t\u{0}\u{7f}", "é\u{1F40C}\u{10FFFF}",
      SQLText(bytes: [0xFF, 0x00, 0xC3]),
    ]
    for value in values {
      var line = IndexLine("test")
      line.add("value", value)
      line.add("list", [value, "x"])
      let bytes = line.finished
      #expect(bytes.dropLast().allSatisfy { (0x20..<0x7F).contains($0) })
      let object = try IndexObject(bytes.dropLast(), number: 1)
      #expect(try object.text("value") == value)
      #expect(try object.texts("list") == [value, "x"])
    }
  }

  @Test("Numbers and hashes come back")
  func numbers() throws {
    var line = IndexLine("test")
    line.add("n", Int.max)
    line.add("h", hash: 0xAB)
    line.add("list", [0, 7])
    let object = try IndexObject(line.finished.dropLast(), number: 1)
    #expect(try object.count("n") == Int.max)
    #expect(try object.hash("h") == 0xAB)
    #expect(try object.counts("list") == [0, 7])
    #expect(throws: LogicalBackupError.self) { try object.count("h") }
    #expect(throws: LogicalBackupError.self) { try object.string("missing") }
  }

  @Test(
    "What is not strict JSON is refused",
    arguments: [
      "", "{", "{}x", "{\"a\":1,}", "{\"a\":1,\"a\":2}", "{\"a\":01x}", "{\"a\":1.5}", "{'a':1}",
      "{\"a\":\"\n\"}", "{\"a\":\"\\ud800\"}", "{\"a\":\"\\u00g0\"}", "[1 ,2]",
      "\"\\x41\"", "nul", "{\"a\":99999999999999999999}",
    ])
  func refused(text: String) { #expect(parse(text) == nil) }

  @Test("What a later version may add is read")
  func accepted() {
    #expect(parse("{\"a\":[true,false,null,-1,{}]}") != nil)
    #expect(parse("\"\\ud83d\\udc0c\\u00e9\\/\"") == .string("\u{1F40C}é/"))
    #expect(parse(String(repeating: "[", count: 1000)) == nil)
  }
}
