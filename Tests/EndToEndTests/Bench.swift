import Foundation
import Glibc
import ObjectStore
import Repository
import TestSupport
import Testing

/// A database with some rows, a store, and the three executables set up for both.
///
/// The role is its own, so that its sessions can be told from those of other tests; its password
/// (which the server does not ask for) must turn up nowhere.
struct Bench {
  static let secret = "hunter2-must-not-show"

  let cluster: TemporaryCluster
  let database: TemporaryDatabase
  let role: String
  let directory: TestDirectory
  /// Where to restore to; does not exist yet.
  let target: String

  /// - Parameter rows: of the table `shop.orders`; about 100 bytes each.
  init(rows: Int = 2000) throws {
    cluster = try TemporaryCluster.shared()
    database = try cluster.createDatabase(named: "shop")
    role = TemporaryCluster.uniqueName("bench")
    directory = try TestDirectory()
    target = TemporaryCluster.uniqueName("restored")
    try cluster.psql("CREATE ROLE \(role) LOGIN SUPERUSER")
    try database.psql(
      """
      CREATE SCHEMA shop;
      CREATE TABLE shop.customers (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text);
      CREATE TABLE shop.orders (
        id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        customer int REFERENCES shop.customers, note text);
      INSERT INTO shop.customers (name) SELECT 'customer ' || n FROM generate_series(1, 100) n;
      INSERT INTO shop.orders (customer, note)
        SELECT n % 100 + 1, md5(n::text) || md5((n + 1)::text) || md5((n + 2)::text)
        FROM generate_series(1, \(rows)) n;
      CREATE VIEW shop.totals AS SELECT customer, count(*) FROM shop.orders GROUP BY 1;
      """)
  }

  func url(_ name: String, port: Int? = nil) -> String {
    "postgresql://\(role):\(Self.secret)@127.0.0.1:\(port ?? cluster.port)/\(name)"
  }

  var variables: [String: String] {
    [
      "DATABASE_URL": url(database.name), "RESTORE_URL": url(target),
      "BACKUP_STORE": "file://\(directory.path)",
    ]
  }

  var backup: Tool { Tool.backup.with(variables) }
  var restore: Tool { Tool.restore.with(variables) }
  var migrate: Tool { Tool.migrate.with(variables) }

  var repository: BackupRepository {
    get throws { BackupRepository(try DirectoryStore(path: directory.path)) }
  }

  /// The path of the newest backup's file.
  func newestFile() throws -> String {
    let entry = try #require(try repository.catalog().entries.last)
    return directory.file(entry.names.dataKey(encrypted: false))
  }

  /// The databases that the restore could have left something of.
  func restored() throws -> [String] {
    try cluster.psql("SELECT datname FROM pg_database WHERE datname LIKE '\(target)%' ORDER BY 1")
      .split(separator: "\n").map(String.init)
  }

  /// The rows of a database, as text that another database's must equal.
  func contents(of name: String) throws -> String {
    try cluster.psql(
      """
      SELECT 'orders', count(*), md5(string_agg(o::text, ',' ORDER BY id)) FROM shop.orders o;
      SELECT 'customers', count(*), md5(string_agg(c::text, ',' ORDER BY id)) FROM shop.customers c;
      """, database: name)
  }

  /// Expects that no session of the role is left within ten seconds.
  func expectNoSessions(_ location: SourceLocation = #_sourceLocation) throws {
    let query =
      "SELECT string_agg(application_name || ': ' || state || ': ' || left(query, 60), '; ') "
      + "FROM pg_stat_activity WHERE usename = '\(role)'"
    var left = ""
    for _ in 0..<100 {
      left = try cluster.psql(query)
      if left.isEmpty { return }
      usleep(100_000)
    }
    Issue.record("sessions are left: \(left)", sourceLocation: location)
  }

  /// Waits until a session of the role runs a statement like that.
  func waitForStatement(
    like pattern: String, _ location: SourceLocation = #_sourceLocation
  ) throws {
    let query =
      "SELECT count(*) FROM pg_stat_activity WHERE usename = '\(role)' AND state = 'active' "
      + "AND query LIKE '\(pattern)'"
    for _ in 0..<600 {
      if try cluster.psql(query) != "0" { return }
      usleep(50_000)
    }
    Issue.record("no session ever ran \(pattern)", sourceLocation: location)
  }

  /// Has another session hold the strongest lock on `shop.orders`; returns when it does.
  func holdLock() throws -> RunningCommand {
    let holder = try Command.start(
      cluster.binaries + "/psql",
      [
        "-X", "-d", database.socketURL, "-c",
        "BEGIN; LOCK TABLE shop.orders IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(120)",
      ])
    let query = "SELECT count(*) \(sleepers)"
    for _ in 0..<600 {
      if try cluster.psql(query) != "0" { break }
      usleep(50_000)
    }
    return holder
  }

  /// Ends that session on the server: it would sleep on without its client.
  func release(_ holder: RunningCommand) throws {
    try cluster.psql("SELECT pg_terminate_backend(pid) \(sleepers)")
    _ = try holder.wait()
  }

  private var sleepers: String {
    "FROM pg_stat_activity WHERE datname = '\(database.name)' AND wait_event = 'PgSleep'"
  }

  /// Expects that the secret is in no stored object.
  func expectNoSecretInStore(_ location: SourceLocation = #_sourceLocation) throws {
    let result = try Command.run("grep", ["-rlF", Self.secret, directory.path])
    #expect(result.text.isEmpty, sourceLocation: location)
    let unpacked = try Command.run(
      "/bin/sh",
      ["-c", "find \(directory.path) -name '*.gz' -exec gunzip -c {} + | grep -cF \(Self.secret)"])
    #expect(unpacked.text == "0\n", sourceLocation: location)
  }
}

extension Tool.Outcome {
  /// Expects a failure: its exit code, one error that says `words`, nothing said to be done (other
  /// than `said`), and no secret.
  func expectFailure(
    _ code: Int32, _ words: String..., saying said: String = "",
    location: SourceLocation = #_sourceLocation
  ) throws {
    #expect(self.code == code, "\(errorText)", sourceLocation: location)
    for line in text.split(separator: "\n") {
      #expect(!said.isEmpty && line.contains(said), "\(text)", sourceLocation: location)
    }
    let errors = try errors()
    #expect(errors.count == 1, "\(errorText)", sourceLocation: location)
    for word in words {
      #expect(errorText.contains(word), "\(errorText)", sourceLocation: location)
    }
    expectNoSecret(location)
  }

  /// Expects a success without a secret in its output.
  func expectSuccess(_ location: SourceLocation = #_sourceLocation) {
    #expect(code == 0, "\(errorText)", sourceLocation: location)
    expectNoSecret(location)
  }

  private func expectNoSecret(_ location: SourceLocation) {
    #expect(!text.contains(Bench.secret), sourceLocation: location)
    #expect(!errorText.contains(Bench.secret), sourceLocation: location)
  }
}
