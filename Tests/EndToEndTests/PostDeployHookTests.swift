import Foundation
import TestSupport
import Testing

/// `cron/post-deploy`, as Clever Cloud runs it: on every instance at once.
@Suite struct PostDeployHookTests {
  private let hook = ProjectRoot.path + "/cron/post-deploy"
  private let path = BuiltExecutable.directory + ":/usr/bin:/bin"

  @Test func migratesOnceFromThreeInstances() throws {
    let database = try TemporaryCluster.shared(15).createDatabase(named: "hook")
    let instances = try (0..<3).map { _ in
      try Command.start(
        "sh", [hook],
        environment: ["PATH": path, "POSTGRESQL_ADDON_URI": database.url], directory: "/")
    }
    for instance in instances {
      let result = try instance.wait()
      #expect(result.exitCode == 0, "\(result.errorText)")
    }
    #expect(try database.psql("SELECT to_regclass('app.calculations') IS NOT NULL") == "t")
    #expect(try database.psql("SELECT count(*) FROM app.users") == "0")
  }

  @Test func stopsTheDeploymentWhenAMigrationFails() throws {
    let database = try TemporaryCluster.shared(15).createDatabase(named: "hook")
    let release = try TestDirectory()
    try release.write("CREATE TABLE a (x int);\n", to: "migrations/20260101000000_a.up.sql")
    try release.write("DROP TABLE a;\n", to: "migrations/20260101000000_a.down.sql")
    try release.write(
      "CREATE TABLE b (x int);\nSELECT nothing;\n", to: "migrations/20260102000000_b.up.sql")
    try release.write("DROP TABLE b;\n", to: "migrations/20260102000000_b.down.sql")
    let result = try Command.run(
      "sh", [hook],
      environment: ["PATH": path, "DATABASE_URL": database.url, "APP_HOME": release.path])
    #expect(result.exitCode != 0)
    #expect(result.errorText.contains("20260102000000_b.up.sql"))
    #expect(try database.psql("SELECT to_regclass('public.a'), to_regclass('public.b')") == "a|")
  }

  @Test func saysWhenThereIsNoDatabase() throws {
    let result = try Command.run("sh", [hook], environment: ["PATH": path])
    #expect(result.exitCode != 0)
    #expect(result.errorText.contains("neither DATABASE_URL nor POSTGRESQL_ADDON_URI is set"))
  }
}
