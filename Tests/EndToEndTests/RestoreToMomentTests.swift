import Foundation
import TestSupport
import Testing

/// `restore --at` and `--before-migration`, with `migrate up` and `backup wal` as they are run.
@Suite struct RestoreToMomentTests {
  private let directory: TestDirectory
  private let cluster: TemporaryCluster
  private let environment: [String: String]

  init() throws {
    directory = try TestDirectory()
    // PostgreSQL's user runs the temporary server's restore_command.
    try Command.check("mkdir", [directory.file("bin"), directory.file("migrations")])
    for tool in [BuiltExecutable.backup, BuiltExecutable.restore, BuiltExecutable.migrate] {
      try Command.check("cp", [tool, directory.file("bin")])
    }
    cluster = try TemporaryCluster(15, ClusterOptions(settings: ["synchronous_commit": "on"]))
    try cluster.psql("CREATE DATABASE shop")
    environment = [
      "DATABASE_URL": cluster.url("shop"),
      "BACKUP_STORE": "file://" + directory.file("store"),
      "PATH": directory.file("bin") + ":/usr/local/bin:/usr/bin:/bin",
    ]
    if geteuid() == 0 { try Command.check("chown", ["-R", "postgres:", directory.path]) }
  }

  private func shell(_ command: String) throws -> CommandResult {
    try Command.run(
      "bash", ["-c", command], environment: environment, directory: directory.path,
      asPostgres: true, timeout: .seconds(180))
  }

  private func check(_ command: String) throws -> String {
    let result = try shell(command)
    #expect(result.ending == .exited(0), "\(command): \(result.text)\(result.errorText)")
    return result.text
  }

  @discardableResult
  private func shop(_ sql: String, _ database: String = "shop") throws -> String {
    try cluster.psql(sql, database: database)
  }

  private func waitForArchive(_ receiver: RunningCommand) throws {
    let end = try cluster.psql("SELECT pg_current_wal_lsn()")
    try wait(
      "SELECT coalesce(bool_or(restart_lsn >= '\(end)'), false) FROM pg_replication_slots",
      receiver)
  }

  private func wait(_ sql: String, _ receiver: RunningCommand) throws {
    let limit = ContinuousClock.now + .seconds(60)
    while try cluster.psql(sql) != "t" {
      guard ContinuousClock.now < limit, receiver.isRunning else {
        throw TestSupportError("\(sql): \(receiver.errorTextSoFar)")
      }
      usleep(100_000)
    }
  }

  @Test func aDatabaseGoesBackToAMomentAndToBeforeAMigration() throws {
    let receiver = try Command.start(
      "bash", ["-c", "exec backup wal --tail-interval 1"], environment: environment,
      directory: directory.path, asPostgres: true)
    defer { receiver.kill() }
    try wait("SELECT count(*) > 0 FROM pg_replication_slots WHERE active", receiver)
    try shop("CREATE TABLE orders (id int PRIMARY KEY, text text); CREATE TABLE other (id int)")
    try shop("INSERT INTO orders SELECT g, 'order ' || g FROM generate_series(1, 1000) g")
    _ = try check("backup base")
    _ = try check("backup run")
    usleep(1_200_000)
    let moment = try cluster.psql("SELECT now()")
    usleep(50_000)
    try shop("DELETE FROM orders WHERE id > 100")
    // Migrations as they are applied, undone and applied again.
    for (name, text) in [
      ("20261122093000_price.up", "ALTER TABLE orders ADD COLUMN price numeric;"),
      ("20261122093000_price.down", "ALTER TABLE orders DROP COLUMN price;"),
      ("20261122100000_other.up", "DROP TABLE other;"),
      ("20261122100000_other.down", "CREATE TABLE other (id int);"),
    ] { try directory.write(text + "\n", to: "migrations/\(name).sql") }
    try Command.check("chmod", ["-R", "a+rX", directory.file("migrations")])
    _ = try check("migrate up")
    try shop("INSERT INTO orders VALUES (2001, 'after', 1)")
    try waitForArchive(receiver)

    let to = { (name: String) in "--to '\(cluster.url(name))'" }
    let work = "--work-directory '\(directory.path)'"
    var out = try check("restore --at '\(moment)' \(to("before_delete")) --verify \(work)")
    #expect(out.contains("1,000 rows"))
    #expect(try shop("SELECT count(*), max(id) FROM orders", "before_delete") == "1000|1000")
    // One table alone.
    out = try check("restore --at '\(moment)' --table orders \(to("one_table")) \(work)")
    #expect(try shop("SELECT count(*) FROM orders", "one_table") == "1000")
    #expect(try shop("SELECT to_regclass('other') IS NULL", "one_table") == "t")
    _ = try check("restore --before-migration 20261122100000 \(to("before_drop")) \(work)")
    #expect(try shop("SELECT count(*), count(price) FROM orders", "before_drop") == "100|0")
    #expect(try shop("SELECT count(*) FROM other", "before_drop") == "0")

    // A second attempt: both are listed with their times, and one can be chosen.
    _ = try check("migrate down -1")
    _ = try check("migrate up")
    try waitForArchive(receiver)
    let several = try shell(
      "restore --before-migration 20261122100000 \(to("which")) \(work)")
    #expect(several.exitCode == 3)
    #expect(several.errorText.contains("2 times; say which one is meant"))
    #expect(several.errorText.components(separatedBy: "(--lsn ").count == 3)

    receiver.signal(SIGTERM)
    _ = try receiver.wait(timeout: .seconds(120))
    // Nothing is left of the temporary clusters.
    #expect(try directory.names().filter { $0.hasPrefix("pgkeep-") }.isEmpty)

    // Without base backups the nearest logical one is offered, and taken when that is wanted.
    try Command.check("rm", ["-r", directory.file("store/default/cluster")])
    let short = try shell("restore --at '\(moment)' \(to("nearest")) \(work)")
    #expect(short.exitCode == 3)
    #expect(short.errorText.contains("--nearest"), "\(short.errorText)")
    #expect(try cluster.psql("SELECT count(*) FROM pg_database WHERE datname = 'nearest'") == "0")
    out = try check("restore --at '\(moment)' --nearest \(to("nearest")) \(work)")
    #expect(out.contains("before it"), "\(out)")
    #expect(try shop("SELECT count(*) FROM orders", "nearest") == "1000")
    let never = try shell("restore --at '2020-01-01 00:00Z' --nearest \(to("never")) \(work)")
    #expect(never.exitCode == 3)
    #expect(never.errorText.contains("no logical backup from before"))
  }
}
