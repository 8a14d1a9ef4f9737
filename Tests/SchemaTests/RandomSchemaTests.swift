import Foundation
import TestSupport
import Testing

/// Schemas that nobody thought of. Several stand in one database, so that a round is cheap.
@Suite struct RandomSchemaTests {
  /// `PGKEEP_TEST_SEED` repeats a round that failed; `PGKEEP_TEST_ALL` makes it longer.
  static let seed =
    ProcessInfo.processInfo.environment["PGKEEP_TEST_SEED"].flatMap { UInt64($0) }
    ?? UInt64.random(in: 0..<1_000_000)
  static let schemas = ProcessInfo.processInfo.environment["PGKEEP_TEST_ALL"] == nil ? 100 : 300

  @Test(arguments: [15, 18])
  func `random schemas are made again exactly`(major: Int) throws {
    print("random schemas: PGKEEP_TEST_SEED=\(Self.seed)")
    let sql = (0..<Self.schemas).map { number in
      RandomSchema.sql(seed: Self.seed &+ UInt64(number), name: "s\(number)")
    }.joined()
    // What the server refuses (a key from a permanent table to an unlogged one) is not there.
    let tolerant = "\\set ON_ERROR_STOP off\n" + sql
    let difference = try Fidelity(major).difference(tolerant)
    #expect(difference == [], "PGKEEP_TEST_SEED=\(Self.seed)")
  }
}
