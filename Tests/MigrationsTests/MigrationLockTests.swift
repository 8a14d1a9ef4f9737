import ByteStream
import Foundation
import Migrations
import Postgres
import Synchronization
import TestSupport
import Testing

@Suite struct MigrationLockTests {
  /// Runs `body` so many times at once and waits for all of them.
  private func together(_ count: Int, _ body: @escaping @Sendable (Int) throws -> Void) throws {
    let group = ThreadGroup(following: Cancellation())
    for index in 0..<count { group.start("instance \(index)") { try body(index) } }
    try group.join()
  }

  @Test(arguments: [15, 18])
  func ofTenInstancesOneWorksAndTheOthersFindNothingToDo(_ major: Int) throws {
    let fixture = try Fixture(major)
    let files = try Fixture.files([
      "1_a": ("CREATE TABLE a (i int); SELECT pg_sleep(0.3);", "DROP TABLE a;"),
      "2_b": (
        "-- pgkeep: no-transaction\nINSERT INTO a VALUES (1);\n"
          + "CREATE INDEX CONCURRENTLY a_i ON a (i);", "DROP INDEX a_i;"
      ),
      "3_c": ("INSERT INTO a VALUES (2);", "DELETE FROM a WHERE i = 2;"),
    ])
    let done = Mutex<[Int]>([])
    try together(10) { _ in
      let count = try fixture.migrator().up(files).count
      done.withLock { $0.append(count) }
    }
    // A run that came late may find some of the work undone only when the lock was free between.
    #expect(done.withLock { $0.sorted() } == [0, 0, 0, 0, 0, 0, 0, 0, 0, 3])
    #expect(try fixture.database.psql("SELECT string_agg(i::text, ',') FROM a") == "1,2")
    #expect(
      try fixture.database.psql(
        "SELECT indisvalid FROM pg_index WHERE indexrelid = 'a_i'::regclass")
        == "t")
    #expect(fixture.events.all.contains { $0.hasPrefix("waiting for pgkeep migrate") })
  }

  /// Ends when it is told to.
  private let slowOne = """
    DO $$ BEGIN
      WHILE NOT EXISTS (SELECT FROM go) LOOP PERFORM pg_sleep(0.02); END LOOP;
    END $$ /* the slow one */;
    """

  @Test func waitingIsBoundedAndNamesTheHolder() throws {
    let fixture = try Fixture()
    try fixture.database.psql("CREATE TABLE go ()")
    let slow = try Fixture.files(["1_a": (slowOne, "SELECT 1;")])
    try together(2) { index in
      if index == 0 {
        try fixture.migrator().up(slow)
      } else {
        let deadline = ContinuousClock.now + .seconds(60)
        while try fixture.database.psql(
          "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%the slow%' AND "
            + "datname = current_database() AND pid <> pg_backend_pid()") == "0",
          ContinuousClock.now < deadline
        { usleep(20_000) }
        let error = Result {
          try failure { try fixture.migrator { $0.lockWait = .milliseconds(300) }.up(slow) }
        }
        try fixture.database.psql("INSERT INTO go DEFAULT VALUES")
        let told = try error.get()
        #expect(told.code == .lockNotObtained)
        #expect(told.message.contains("the slow one"), "\(told.message)")
        // The migration's own statement, not the BEGIN that is sent with it.
        #expect(told.message.contains("running: DO $$"), "\(told.message)")
        #expect(told.message.contains("of role postgres"))
      }
    }
  }

  @Test func aStoppedRunGivesUpWaiting() throws {
    let fixture = try Fixture()
    let holder = try Connection(
      ConnectionTarget(fixture.database.url), ConnectionOptions(applicationName: "holder"),
      cancellation: Cancellation())
    try holder.run("SELECT pg_advisory_lock(8099560538086834177)")
    let files = try Fixture.files(["1_a": ("SELECT 1;", "SELECT 1;")])
    JobThread.start("stopper") {
      usleep(300_000)
      fixture.cancellation.cancel(reason: "test")
    }
    let error = try failure { try fixture.migrator().up(files) }
    #expect(error.code == .cancelled)
    holder.close()
  }

  @Test func aRunWaitsForWhatAKilledOneLeftOnTheServer() throws {
    let fixture = try Fixture()
    let left = try Connection(
      ConnectionTarget(fixture.database.url), ConnectionOptions(applicationName: "left"),
      cancellation: Cancellation())
    try left.run("SELECT pg_advisory_lock_shared(8099560538086834178)")
    let files = try Fixture.files(["1_a": ("CREATE TABLE a (i int);", "SELECT 1;")])
    let error = try failure {
      try fixture.migrator { $0.lockWait = .milliseconds(300) }.up(files)
    }
    #expect(error.code == .lockNotObtained)
    #expect(error.message.contains("(left)"))
    left.close()
    try fixture.migrator().up(files)
    #expect(try fixture.tables() == ["a"])
  }

  @Test(arguments: ["transaction", "session"])
  func aPoolerIsRefusedInTransactionModeOnly(_ mode: String) throws {
    let fixture = try Fixture()
    let cluster = fixture.database.cluster
    let directory = try TestDirectory()
    let port = try LoopbackPort.free()
    let configuration = directory.file("pgbouncer.ini")
    try directory.write(
      """
      [databases]
      * = host=127.0.0.1 port=\(cluster.port) user=postgres
      [pgbouncer]
      listen_addr = 127.0.0.1
      listen_port = \(port)
      unix_socket_dir =
      auth_type = any
      pool_mode = \(mode)
      """, to: "pgbouncer.ini")
    chmod(directory.path, 0o755)
    chmod(configuration, 0o644)
    let pooler = try Command.start("/usr/sbin/pgbouncer", [configuration], asPostgres: true)
    defer { pooler.kill() }
    let url = "postgresql://postgres@127.0.0.1:\(port)/\(fixture.database.name)"
    let deadline = ContinuousClock.now + .seconds(20)
    while ContinuousClock.now < deadline {
      let answer = try Command.run(cluster.binaries + "/psql", ["-d", url, "-c", "SELECT 1"])
      if answer.exitCode == 0 { break }
      usleep(50_000)
    }
    let files = try Fixture.files(["1_a": ("CREATE TABLE a (i int);", "SELECT 1;")])
    if mode == "session" {
      try fixture.migrator(url: url).up(files)
      #expect(try fixture.tables() == ["a"])
    } else {
      let error = try failure { try fixture.migrator(url: url).up(files) }
      #expect(error.code == .transactionPooler)
      #expect(error.message.contains("transaction mode"))
      #expect(try fixture.tables() == [])
      // The lock that was taken through the pooler is not left behind in a server session.
      try fixture.migrator().up(files)
    }
  }
}
