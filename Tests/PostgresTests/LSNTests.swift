import Postgres
import Testing

@Suite struct LSNTests {
  @Test(arguments: ["0/0", "16/B374D848", "FFFFFFFF/FFFFFFFF", "1/1"])
  func readsWhatItWrites(text: String) {
    #expect(LSN(text)?.description == text)
  }

  @Test(arguments: ["", "1", "/1", "1/", "1/2/3", "g/1", "123456789/1", "-1/2", " 1/2"])
  func refusesWhatIsNotOne(text: String) {
    #expect(LSN(text) == nil)
  }

  @Test func ordersByPosition() throws {
    let low = try #require(LSN("0/FFFFFFFF"))
    let high = try #require(LSN("1/0"))
    #expect(low < high)
    #expect(high.rawValue - low.rawValue == 1)
  }
}
