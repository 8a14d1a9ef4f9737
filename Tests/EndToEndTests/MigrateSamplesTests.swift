import Foundation
import TestSupport
import Testing

/// `migrate` with the project's own `migrations/`: what it does is what psql does with the files.
@Suite struct MigrateSamplesTests {
  @Test(arguments: TemporaryCluster.installedMajors)
  func upAndDownAndUp(major: Int) throws {
    let cluster = try TemporaryCluster.shared(major)
    let byHand = try cluster.createDatabase(named: "psql")
    let empty = try SampleMigrations.schema(of: byHand)
    for pair in try SampleMigrations.all() { try byHand.psql(pair.up) }
    let whole = try SampleMigrations.schema(of: byHand)

    let database = try cluster.createDatabase(named: "migrate")
    let migrate = Tool.migrate.with(["DATABASE_URL": database.url])
    let up = try migrate("up", directory: ProjectRoot.path)
    #expect(up.code == 0, "\(up.errorText)")
    #expect(try SampleMigrations.schema(of: database) == whole)
    let again = try migrate("up", directory: ProjectRoot.path)
    #expect(again.code == 0, "\(again.errorText)")

    // From a checkout that has none of the files.
    let elsewhere = try TestDirectory()
    try elsewhere.write("", to: "migrations/.keep")
    let count = try SampleMigrations.all().count
    let last = try migrate("down", "-1", directory: elsewhere.path)
    #expect(last.code == 0, "\(last.errorText)")
    let down = try migrate("down", "-\(count - 1)", directory: elsewhere.path)
    #expect(down.code == 0, "\(down.errorText)")
    #expect(try SampleMigrations.schema(of: database) == empty)

    let anew = try migrate("up", directory: ProjectRoot.path)
    #expect(anew.code == 0, "\(anew.errorText)")
    #expect(try SampleMigrations.schema(of: database) == whole)
    #expect(try database.psql("SELECT count(*) FROM app.users") == "0")
  }
}
