import Foundation
import TestSupport
import Testing

/// `migrate up --require-backup`: what is dropped has to be in a fresh backup.
@Suite struct RequireBackupTests {
  @Test func aDropWantsAFreshBackupOfThisDatabase() throws {
    let source = try TemporaryCluster.shared(15).createDatabase(named: "precious")
    let folder = try TestDirectory()
    let dir = folder.file("migrations")
    try FileManager.default.createDirectory(atPath: dir, withIntermediateDirectories: true)
    for (name, text) in [
      ("1_a.up.sql", "DROP TABLE orders;"), ("1_a.down.sql", "CREATE TABLE orders (id int);"),
    ] { try text.write(toFile: "\(dir)/\(name)", atomically: true, encoding: .utf8) }
    try source.psql("CREATE TABLE orders (id int); INSERT INTO orders VALUES (7)")
    let variables = [
      "DATABASE_URL": source.url, "BACKUP_STORE": "file://\(folder.file("store"))",
      "LOG_FORMAT": "json",
    ]
    let migrate = Tool.migrate.with(variables)

    let without = try migrate("up", "--dir", dir, "--require-backup", "24h")
    #expect(without.code == 1)
    #expect(without.errorText.contains("holds no whole backup of"), "\(without.errorText)")
    #expect(try source.psql("SELECT id FROM orders") == "7")

    #expect(try Tool.backup.with(variables)("run").code == 0)
    usleep(1_100_000)
    let old = try migrate("up", "--dir", dir, "--require-backup", "1s")
    #expect(old.code == 1)
    #expect(old.errorText.contains("--require-backup 1s"), "\(old.errorText)")

    // The store that is asked for has to be given.
    let unset = try Tool.migrate.with(["DATABASE_URL": source.url])(
      "up", "--dir", dir, "--require-backup", "24h")
    #expect(unset.code == 8)

    let done = try migrate("up", "--dir", dir, "--require-backup", "24h", "--keep-dropped")
    #expect(done.code == 0, "\(done.errorText)")
    #expect(try migrate("down", "-1", "--dir", dir).code == 0)
    #expect(try source.psql("SELECT id FROM orders") == "7")
    #expect(try migrate("up", "--dir", dir, "--require-backup", "24h").code == 0)
    #expect(try source.psql("SELECT to_regclass('orders') IS NULL") == "t")
  }
}
