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
      CREATE TABLE slow (note text);
      INSERT INTO slow SELECT repeat(md5(i::text), 40) FROM generate_series(1, 60000) i;
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
    defer { backup.kill() }
    // The export's server process is stopped in the middle of its COPY, for as long as it takes.
    let copying = try source.waitForProcess(
      "application_name = 'pgkeep backup' AND query LIKE 'COPY%' AND state = 'active'")
    #expect(kill(copying, SIGSTOP) == 0)
    defer { kill(copying, SIGCONT) }
    let migrate = try Tool.migrate.with(variables).start("up", "--dir", dir)
    defer { migrate.kill() }
    try until { migrate.errorTextSoFar.contains("a backup of pgkeep: it ends by itself") }
    try until { backup.errorTextSoFar.contains("waits for this backup to end: CREATE INDEX") }
    #expect(kill(copying, SIGCONT) == 0)
    let saved = try backup.wait(timeout: .seconds(240))
    #expect(saved.exitCode == 0, "\(saved.errorText)")
    let deployed = try migrate.wait(timeout: .seconds(240))
    #expect(deployed.exitCode == 0, "\(deployed.errorText)")
  }

  private func until(_ condition: () -> Bool) throws {
    let deadline = ContinuousClock.now + .seconds(60)
    while !condition() {
      guard ContinuousClock.now < deadline else { throw TestSupportError("never said") }
      usleep(20_000)
    }
  }
}

extension TemporaryDatabase {
  /// Waits, in the server so that nothing short is missed, for a session in this database.
  fileprivate func waitForProcess(_ condition: String) throws -> Int32 {
    let found = """
      FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
        AND \(condition)
      """
    let text = try psql(
      """
      SET statement_timeout = '60s';
      DO $$ BEGIN
        WHILE NOT EXISTS (SELECT \(found)) LOOP
          PERFORM pg_sleep(0.001), pg_stat_clear_snapshot();
        END LOOP;
      END $$;
      SELECT pid \(found);
      """)
    guard let pid = Int32(text.split(separator: "\n").last ?? "") else {
      throw TestSupportError("it was over before it could be stopped: \(text)")
    }
    return pid
  }
}
