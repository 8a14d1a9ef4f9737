import Foundation
import TestSupport
import Testing

@Suite struct DemoDataTests {
  @Test(arguments: [15, 18])
  func fillsAllTablesAlwaysAlike(major: Int) throws {
    let rows = try fill(major)
    let counts = rows.split(separator: "\n").compactMap {
      Int($0.split(separator: "|")[1])
    }
    #expect(counts.count == 6)
    #expect(counts.allSatisfy { $0 >= 500 })
    #expect(counts.reduce(0, +) >= 200_000)
    #expect(try fill(major) == rows)
  }

  /// The number of rows of each table and a sum over their hashes, after filling a new database.
  private func fill(_ major: Int) throws -> String {
    let database = try TemporaryCluster.shared(major).createDatabase(named: "demo")
    defer { try? database.drop() }
    for migration in try SampleMigrations.all() { try database.psql(migration.up) }
    let data = try String(
      contentsOfFile: ProjectRoot.path + "/scripts/demo-data.sql", encoding: .utf8)
    try database.psql(data)
    return try database.psql(
      ["users", "projects", "project_members", "uploads", "calculations", "audit_log"].map {
        "SELECT '\($0)', count(*), sum(hashtextextended(t::text, 0)) FROM app.\($0) t;"
      }.joined(separator: "\n"))
  }
}
