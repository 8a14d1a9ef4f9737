import TestSupport
import Testing

@Suite struct SeededGeneratorTests {
  @Test func givesTheSameForTheSameSeed() {
    var one = SeededGenerator(seed: 42)
    var two = SeededGenerator(seed: 42)
    var other = SeededGenerator(seed: 43)
    let bytes = one.bytes(100)
    #expect(bytes == two.bytes(100))
    #expect(bytes != other.bytes(100))
  }

  @Test func followsSplitMix64() {
    // The first numbers of the published algorithm for seed 1234567.
    var generator = SeededGenerator(seed: 1_234_567)
    #expect(generator.next() == 6_457_827_717_110_365_317)
    #expect(generator.next() == 3_203_168_211_198_807_973)
  }
}
