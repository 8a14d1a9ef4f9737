import Foundation
import TestSupport
import Testing

/// The project's own `migrations/`, run by psql: whatever pgkeep does with them, they are right.
@Suite struct SampleMigrationsTests {
  @Test func comeInPairs() throws {
    let names = try FileManager.default.contentsOfDirectory(atPath: SampleMigrations.folder)
    let pairs = try SampleMigrations.all()
    #expect(pairs.count >= 8)
    #expect(names.count { $0.hasSuffix(".sql") && $0 != "schema.sql" } == pairs.count * 2)
  }

  @Test(arguments: TemporaryCluster.installedMajors)
  func eachDownRestoresWhatWasBefore(major: Int) throws {
    let database = try TemporaryCluster.shared(major).createDatabase(named: "migrations")
    let pairs = try SampleMigrations.all()
    var before: [String] = []
    for pair in pairs {
      before.append(try SampleMigrations.schema(of: database))
      try database.psql(pair.up)
    }
    let whole = try SampleMigrations.schema(of: database)
    for (pair, before) in zip(pairs, before).reversed() {
      try database.psql(pair.down)
      #expect(try SampleMigrations.schema(of: database) == before, "down of \(pair.name)")
    }
    for pair in pairs { try database.psql(pair.up) }
    #expect(try SampleMigrations.schema(of: database) == whole)
  }
}
