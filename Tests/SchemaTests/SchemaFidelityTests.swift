import TestSupport
import Testing

@Suite struct SchemaFidelityTests {
  @Test(arguments: [15, 18])
  func `an application's database is made again exactly`(major: Int) throws {
    let difference = try Fidelity(major).difference(Fidelity.sql("application"))
    #expect(difference == [])
  }
}
