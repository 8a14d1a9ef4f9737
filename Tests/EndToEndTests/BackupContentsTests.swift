import Foundation
import TestSupport
import Testing

/// What `backup run` and `backup list` say of a backup beside its rows.
@Suite struct BackupContentsTests {
  @Test func theNewestMigrationIsThatOfTheBackup() throws {
    let cluster = try TemporaryCluster.shared(15)
    let database = try cluster.createDatabase(named: "shop")
    defer { try? database.drop() }
    let (store, files) = (try TestDirectory(), try TestDirectory())
    let variables = ["DATABASE_URL": database.url, "BACKUP_STORE": "file://" + store.path]
    let (migrate, backup) = (Tool.migrate.with(variables), Tool.backup.with(variables))
    #expect(try backup("run", "--json").json()["migration"] is NSNull)
    let folder = files.path + "/migrations"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    for (version, name) in [("0009", "one"), ("0010", "two"), ("0011", "three")] {
      for (direction, sql) in [
        ("up", "CREATE TABLE \(name) (a int);"), ("down", "DROP TABLE \(name);"),
      ] {
        try sql.write(
          toFile: "\(folder)/\(version)_\(name).\(direction).sql", atomically: true, encoding: .utf8
        )
      }
    }
    let up = try migrate("up", directory: files.path)
    #expect(up.code == 0, "\(up.errorText)")
    #expect(try migrate("down", "-1", directory: files.path).code == 0)
    #expect(try backup("run", "--json").json()["migration"] as? String == "0010")
    let list = try backup("list")
    #expect(list.text.contains("MIGRATION") && list.text.contains("0010"), "\(list.text)")
    #expect(try backup("show", "latest").text.contains("0010"))
  }

  @Test func rolesAreBackedUpBesideTheDatabase() throws {
    let (cluster, other) = (try TemporaryCluster(15), try TemporaryCluster(15))
    try cluster.psql(
      "CREATE ROLE clerk LOGIN PASSWORD 'x'; CREATE ROLE staff; GRANT staff TO clerk")
    let database = try cluster.createDatabase(named: "shop", owner: "clerk")
    let store = try TestDirectory()
    let variables = ["BACKUP_STORE": "file://" + store.path, "RESTORE_URL": other.url("postgres")]
    let backup = Tool.backup.with(variables).with(["DATABASE_URL": database.url])
    let run = try backup("run", "--globals")
    #expect(run.code == 0, "\(run.errorText)")
    #expect(run.text.contains("3 roles with passwords"), "\(run.text)")
    #expect(try backup("list").text.contains("3 roles with passwords"))
    let restored = try Tool.restore.with(variables)("globals", "--json")
    #expect(restored.code == 0, "\(restored.errorText)")
    #expect(try restored.json()["kept"] as? [String] == ["role postgres"])
    #expect(
      try other.psql("SELECT pg_has_role('clerk', 'staff', 'MEMBER')") == "t")
    let copy = TemporaryDatabase(cluster: other, name: "copy")
    let whole = try Tool.restore.with(variables).with(["RESTORE_URL": copy.url])("latest")
    #expect(whole.code == 0, "\(whole.errorText)")
    let odd = try Tool.restore.with(variables).with(["RESTORE_URL": other.url("c_copy")])(
      "latest", "--locale", "C")
    #expect(odd.code == 0, "\(odd.errorText)")
    #expect(
      try other.psql("SELECT datcollate FROM pg_database WHERE datname = 'c_copy'") == "C")
  }
}
