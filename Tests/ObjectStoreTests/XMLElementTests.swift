import Testing

@testable import ObjectStore

@Suite struct XMLElementTests {
  private func parse(_ text: String) throws -> XMLElement {
    try XMLElement(parsing: Array(text.utf8))
  }

  @Test func readsAListing() throws {
    let xml = try parse(
      """

      <?xml version="1.0" encoding="UTF-8"?>
      <!-- a comment -->
      <s3:ListBucketResult xmlns:s3="http://s3.amazonaws.com/doc/2006-03-01/">
        <IsTruncated>false</IsTruncated><Empty/><Blank a="x>y" />
        <Contents><Key>a &amp; b &lt;&gt;&quot;&apos;&#65;&#x42;</Key><Size>1</Size></Contents>
        <Contents><Key><![CDATA[raw <&> text]]></Key></Contents>
      </s3:ListBucketResult>
      """)
    #expect(xml.name == "ListBucketResult")
    #expect(xml.text("IsTruncated") == "false")
    #expect(xml.text("Empty") == "")
    #expect(xml.text("Blank") == "")
    #expect(xml.text("Missing") == nil)
    #expect(xml.all("Contents").map { $0.text("Key") } == ["a & b <>\"'AB", "raw <&> text"])
  }

  @Test(arguments: [
    "", " ", "text", "<a>", "<a></b>", "<a/><b/>", "<a>&unknown;</a>", "<a>&#xD800;</a>", "<a",
    "<a b=\"></a>", "</a>", "<>x</>", "<a><b></a></b>", "<a>&amp</a>", "<a/>x",
    "<!DOCTYPE a [<!ENTITY e SYSTEM \"file:///etc/passwd\">]><a>&e;</a>",
    "<a><!DOCTYPE b></a>", "<a><![CDATA[x</a>", "<html><body><p>oops</body></html>",
  ])
  func refuses(_ text: String) {
    #expect(throws: XMLElement.Malformed.self) { try parse(text) }
  }

  @Test func refusesWhatIsTooDeep() {
    let text = String(repeating: "<a>", count: 100_000)
    #expect(throws: XMLElement.Malformed.self) { try parse(text) }
  }

  @Test func neverTraps() throws {
    let good = Array("<a><b>x &amp; y</b><c d='e'/><![CDATA[z]]></a>".utf8)
    var random = SystemRandomNumberGenerator()
    for _ in 0..<20_000 {
      var bytes = good
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        let place = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0..<3, using: &random) {
        case 0: bytes[place] = .random(in: 0...255, using: &random)
        case 1: bytes.remove(at: place)
        default: bytes.insert(contentsOf: "<>&;/!".utf8.shuffled().prefix(2), at: place)
        }
      }
      _ = try? XMLElement(parsing: bytes)
    }
  }
}
