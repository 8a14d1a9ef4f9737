import Glibc

/// A generator of random numbers that gives the same ones for the same seed (SplitMix64), so that a
/// failure with random input can be had again.
public struct SeededGenerator: RandomNumberGenerator, Sendable {
  /// The seed that it was made with.
  public let seed: UInt64
  private var state: UInt64

  /// - Parameter seed: when nil, that of the environment's `PGKEEP_TEST_SEED`, else a new one. It is
  ///   printed, for whoever has to repeat a failure.
  public init(seed: UInt64? = nil) {
    let fromEnvironment = getenv("PGKEEP_TEST_SEED").flatMap { UInt64(String(cString: $0)) }
    self.seed = seed ?? fromEnvironment ?? UInt64.random(in: 0...UInt64.max)
    state = self.seed
    if seed == nil { print("PGKEEP_TEST_SEED=\(self.seed)") }
  }

  /// The next 64 random bits.
  public mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var value = state
    value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
    value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
    return value ^ (value >> 31)
  }

  /// That many random bytes.
  public mutating func bytes(_ count: Int) -> [UInt8] {
    (0..<count).map { _ in UInt8.random(in: 0...255, using: &self) }
  }
}
