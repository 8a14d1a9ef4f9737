import ByteStream
import Foundation
import Migrations
import Postgres
import TestSupport
import Testing

/// Migrations that meet locks of other sessions.
@Suite struct LockRetryTests {
  private let fixture: Fixture
  private let blocker: Connection

  init() throws {
    fixture = try Fixture()
    try fixture.database.psql("CREATE TABLE a (i int)")
    blocker = try connect("the blocker", fixture)
    try blocker.run("BEGIN; SELECT FROM public.a")
  }

  private let alter: KeyValuePairs<String, (String, String)> = [
    "1_a": ("CREATE TABLE b (i int); ALTER TABLE a ADD COLUMN j int;", "SELECT 1;")
  ]

  @Test func aBlockerThatGoesAwayIsWaitedForInShortTries() throws {
    let blocker = SendableConnection(blocker)
    release(blocker, after: "retrying")
    let files = try Fixture.files(alter)
    try fixture.migrator { $0.lockTimeout = .milliseconds(600) }.up(files)
    #expect(try fixture.tables() == ["a", "b"])
    #expect(fixture.events.all.contains { $0.contains("blocked by process") })
    #expect(fixture.events.all.contains { $0.contains("(the blocker)") })
    #expect(fixture.events.all.contains { $0.hasPrefix("retrying") })
  }

  @Test func aBlockerThatStaysIsNamedWhenTheTimeIsUp() throws {
    let files = try Fixture.files(alter)
    let started = ContinuousClock.now
    let error = try failure {
      try fixture.migrator {
        $0.lockTimeout = .milliseconds(600)
        $0.lockRetry = .seconds(2)
      }.up(files)
    }
    #expect(error.code == .lockNotObtained)
    #expect(error.message.contains("(the blocker)"), "\(error.message)")
    #expect(error.message.contains("SELECT FROM public.a"))
    #expect(ContinuousClock.now - started < .seconds(30))
    #expect(try fixture.tables() == ["a"])
    // Nothing of ours stands in anybody's way any more.
    #expect(try fixture.database.psql("SET lock_timeout = '2s'; SELECT count(*) FROM a") == "0")
  }

  @Test func itGivesWayToThoseWhoWaitBehindIt() throws {
    let files = try Fixture.files(alter)
    let group = ThreadGroup(following: Cancellation())
    let fixture = fixture
    group.start("migrate") {
      try fixture.migrator {
        $0.lockTimeout = .seconds(60)
        $0.giveWayTo = 2
      }.up(files)
    }
    try until(
      fixture,
      "SELECT count(*) > 0 FROM pg_locks WHERE NOT granted AND database = "
        + "(SELECT oid FROM pg_database WHERE datname = current_database())")
    let readers = ThreadGroup(following: Cancellation())
    for _ in 0..<3 {
      readers.start("reader") { try fixture.database.psql("SELECT count(*) FROM a") }
    }
    // The readers get through although the blocker still holds its lock.
    try readers.join()
    #expect(try fixture.tables() == ["a"])
    blocker.close()
    try group.join()
    #expect(try fixture.tables() == ["a", "b"])
    #expect(fixture.events.all.contains { $0.hasPrefix("retrying") })
  }

  @Test func aConcurrentIndexWaitsPatientlyForABackup() throws {
    let backup = try connect("pgkeep backup run", fixture)
    try backup.run("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM pg_class")
    blocker.close()
    let held = SendableConnection(backup)
    release(held, after: "a backup of pgkeep")
    let files = try Fixture.files([
      "1_a": (
        "-- pgkeep: no-transaction\nCREATE INDEX CONCURRENTLY a_i ON a (i);", "DROP INDEX a_i;"
      )
    ])
    try fixture.migrator { $0.lockTimeout = .milliseconds(300) }.up(files)
    #expect(!fixture.events.all.contains { $0.hasPrefix("retrying") })
  }

  /// Closes the connection once the run has told this.
  private func release(_ held: SendableConnection, after text: String) {
    let events = fixture.events
    JobThread.start("release") {
      let limit = ContinuousClock.now + .seconds(60)
      while !events.all.contains(where: { $0.contains(text) }), .now < limit { usleep(20_000) }
      held.connection.close()
    }
  }
}

/// Handed to one other thread, which then is the only one to use it.
private struct SendableConnection: @unchecked Sendable {
  let connection: Connection
  init(_ connection: Connection) { self.connection = connection }
}

private func connect(_ name: String, _ fixture: Fixture) throws -> Connection {
  try Connection(
    ConnectionTarget(fixture.database.url), ConnectionOptions(applicationName: name),
    cancellation: Cancellation())
}

private func until(_ fixture: Fixture, _ sql: String) throws {
  let deadline = ContinuousClock.now + .seconds(30)
  while try fixture.database.psql(sql) != "t" {
    guard ContinuousClock.now < deadline else { throw TestSupportError("never true: \(sql)") }
    usleep(20_000)
  }
}
