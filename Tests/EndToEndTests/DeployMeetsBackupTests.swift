import Foundation
import TestSupport
import Testing

/// A deploy's `CREATE INDEX CONCURRENTLY` while a backup runs: each says that it sees the other.
@Suite struct DeployMeetsBackupTests {
  @Test func theMigrationWaitsForTheBackupAndBothSaySo() throws {
    let source = try TemporaryCluster.shared(15).createDatabase(named: "busy")
    try source.psql(
      """
      CREATE TABLE orders (id int, note text);
      INSERT INTO orders SELECT i, 'x' FROM generate_series(1, 1000) i;

      CREATE TABLE slow (note text); INSERT INTO slow SELECT repeat(md5(i::text), 40) FROM generate_series(1, 60000) i;
      """)
    let folder = try TestDirectory()
    let dir = folder.file("migrations")
    try FileManager.default.createDirectory(atPath: dir, withIntermediateDirectories: true)
    for (name, text) in [
      (
        "1_a.up.sql",
        "-- pgkeep: no-transaction\nCREATE INDEX CONCURRENTLY orders_note ON orders (note);"
      ), ("1_a.down.sql", "DROP INDEX orders_note;"),
    ] { try text.write(toFile: "\(dir)/\(name)", atomically: true, encoding: .utf8) }
    let variables = [
      "DATABASE_URL": source.url, "BACKUP_STORE": "file://\(folder.file("store"))",
      "LOG_FORMAT": "json",
    ]
    let backup = try Tool.backup.with(variables).start("run", "--jobs", "1")
    try source.until(
      "SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database() AND "
        + "application_name = 'pgkeep backup' AND query LIKE 'COPY%'")
    backup.signal(SIGSTOP)
    let migrate = try Tool.migrate.with(variables).start("up", "--dir", dir)
    try source.until(
      "SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database() AND "
        + "application_name LIKE 'pgkeep migrate work%' AND wait_event_type = 'Lock'")
    usleep(1_500_000)
    backup.signal(SIGCONT)
    let saved = try backup.wait(timeout: .seconds(60))
    #expect(saved.exitCode == 0, "\(saved.errorText)")
    let deployed = try migrate.wait(timeout: .seconds(60))
    #expect(deployed.exitCode == 0, "\(deployed.errorText)")
    #expect(deployed.errorText.contains("a backup of pgkeep: it ends by itself"))
    #expect(saved.errorText.contains("waits for this backup to end: CREATE INDEX CONCURRENTLY"))
  }
}

extension TemporaryDatabase {
  /// Waits until this gives `t`.
  func until(_ sql: String) throws {
    let deadline = ContinuousClock.now + .seconds(30)
    while try psql(sql) != "t" {
      guard ContinuousClock.now < deadline else { throw TestSupportError("never true: \(sql)") }
      usleep(10_000)
    }
  }
}
