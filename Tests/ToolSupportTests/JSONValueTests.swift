import Foundation
import Testing
import ToolSupport

@Suite struct JSONValueTests {
  @Test func keepsOrderAndEscapes() {
    let value: JSONValue = [
      "z": 1, "a": [true, .null, .number(0.5)], "text": "a\"b\\c\n\u{1}\u{2028}é", "empty": [],
    ]
    #expect(
      value.compact
        == #"{"z":1,"a":[true,null,0.5],"text":"a\"b\\c\n\u0001\u2028é","empty":[]}"#)
  }

  @Test func isReadBackByAnotherParser() throws {
    let text = String(String.UnicodeScalarView((1...0x2100).compactMap { Unicode.Scalar($0) }))
    let value: JSONValue = ["text": .string(text), "list": [1, ["deep": .number(-1.5e300)]]]
    for form in [value.compact, value.pretty] {
      let read = try JSONSerialization.jsonObject(with: Data(form.utf8)) as? [String: Any]
      #expect(read?["text"] as? String == text)
      #expect((read?["list"] as? [Any])?.first as? Int == 1)
    }
  }

  @Test func indents() {
    let value: JSONValue = ["a": [1], "b": .object([])]
    #expect(value.pretty == "{\n  \"a\": [\n    1\n  ],\n  \"b\": {}\n}")
  }
}
