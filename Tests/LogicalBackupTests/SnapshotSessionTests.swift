import ByteStream
import Postgres
import TestSupport
import Testing

@testable import LogicalBackup

@Suite struct SnapshotSessionTests {
  private func connect(_ database: TemporaryDatabase) throws -> Connection {
    try Connection(
      ConnectionTarget(database.url), ConnectionOptions(applicationName: "pgkeep test"),
      cancellation: Cancellation())
  }

  /// The rows of a table as a worker sees them that joins the snapshot.
  private func rows(
    _ database: TemporaryDatabase, _ session: SnapshotSession, _ table: String
  ) throws -> String {
    let worker = try connect(database)
    try SnapshotTransaction.join(worker, snapshot: session.snapshot)
    let result = try worker.query(
      "SELECT count(*), sum(a) FROM public.\(SQLText(table))")
    return "\(result.string(0, 0)) \(result.string(0, 1))"
  }

  private func withDatabase(_ body: (TemporaryDatabase) throws -> Void) throws {
    let database = try TemporaryCluster.shared().createDatabase()
    defer { try? database.drop() }
    try database.psql("CREATE TABLE t (a int); INSERT INTO t SELECT generate_series(1, 100)")
    try body(database)
  }

  /// Things that empty or rewrite a table; under a snapshot that is older than them, the table
  /// reads as empty.
  static let rewrites = [
    "TRUNCATE t; INSERT INTO t VALUES (7)",
    "ALTER TABLE t ALTER a TYPE bigint; DELETE FROM t WHERE a <> 7",
    "ALTER TABLE t RENAME TO old; CREATE TABLE t (a int); INSERT INTO t VALUES (7)",
    "DROP TABLE t; CREATE TABLE t (a int); INSERT INTO t VALUES (7)",
  ]

  @Test(
    "Before the locks a table may be rewritten: the snapshot sees the new rows", arguments: rewrites
  )
  func beforeLocks(change: String) throws {
    try withDatabase { database in
      var hooks = SnapshotHooks()
      let first = Once()
      hooks.afterListing = { if first.take() { try database.psql(change) } }
      let session = try SnapshotSession.open(try connect(database), hooks: hooks)
      #expect(try rows(database, session, "t") == "1 7")
      session.close()
    }
  }

  @Test("From the locks on no table can be rewritten: every row is there", arguments: rewrites)
  func afterLocks(change: String) throws {
    let blocked = "SET lock_timeout = '100ms'; " + change
    for gap in [\SnapshotHooks.afterLocking, \.afterSnapshot] {
      try withDatabase { database in
        var hooks = SnapshotHooks()
        hooks[keyPath: gap] = {
          #expect(throws: (any Error).self) { try database.psql(blocked) }
        }
        let session = try SnapshotSession.open(try connect(database), hooks: hooks)
        #expect(throws: (any Error).self) { try database.psql(blocked) }
        #expect(try rows(database, session, "t") == "100 5050")
        session.close()
        try database.psql(blocked)
      }
    }
  }

  @Test("A table that is made in any gap is locked when the snapshot sees it")
  func newTables() throws {
    for gap in [\SnapshotHooks.afterListing, \.afterLocking, \.afterSnapshot] {
      try withDatabase { database in
        var hooks = SnapshotHooks()
        let first = Once()
        hooks[keyPath: gap] = {
          guard first.take() else { return }
          try database.psql("CREATE TABLE late (a int); INSERT INTO late VALUES (3), (4)")
        }
        let session = try SnapshotSession.open(try connect(database), hooks: hooks)
        let names = session.tables.map(\.name.string).sorted()
        if gap == \.afterSnapshot {
          #expect(names == ["t"])
        } else {
          #expect(names == ["late", "t"])
          #expect(throws: (any Error).self) {
            try database.psql("SET lock_timeout = '100ms'; TRUNCATE late")
          }
          #expect(try rows(database, session, "late") == "2 7")
        }
        session.close()
      }
    }
  }

  @Test("Tables that come with every attempt end in an error, not in an endless loop")
  func endless() throws {
    try withDatabase { database in
      var hooks = SnapshotHooks()
      hooks.afterLocking = {
        try database.psql("CREATE TABLE \(TemporaryCluster.uniqueName("x")) (a int)")
      }
      var options = SnapshotOptions()
      options.rounds = 3
      let connection = try connect(database)
      do {
        _ = try SnapshotSession.open(connection, options, hooks: hooks)
        Issue.record("a snapshot without all locks was taken")
      } catch let error as LogicalBackupError { #expect(error.code == .schemaChanged) }
    }
  }

  @Test("A lock that is held for too long is an error that names its holder's query")
  func heldLock() throws {
    try withDatabase { database in
      let holder = try connect(database)
      try holder.run("BEGIN")
      _ = try holder.query("LOCK TABLE public.t IN ACCESS EXCLUSIVE MODE")
      var options = SnapshotOptions()
      options.lockWait = .milliseconds(300)
      let connection = try connect(database)
      do {
        _ = try SnapshotSession.open(connection, options)
        Issue.record("a lock that another session holds was obtained")
      } catch let error as LogicalBackupError {
        #expect(error.code == .lockNotObtained && error.object == "public.t")
        #expect(error.message.contains("LOCK TABLE public.t"))
        #expect(error.message.contains("session \(holder.processID) holds"))
      }
      // While it waits it holds no lock on any other table.
      #expect(!connection.isInTransaction)
    }
  }

  @Test("A lock that becomes free in time is waited for")
  func freedLock() throws {
    try withDatabase { database in
      let holder = try connect(database)
      try holder.run("BEGIN; LOCK TABLE public.t IN ACCESS EXCLUSIVE MODE; DELETE FROM public.t")
      let group = ThreadGroup(following: Cancellation())
      let released = Monitor(holder)
      group.start("release") {
        try JobPause.milliseconds(400)
        try released.update { try $0.run("COMMIT") }
      }
      let session = try SnapshotSession.open(try connect(database))
      try group.join()
      #expect(try rows(database, session, "t") == "0 ")
      session.close()
    }
  }

  @Test("A table that the role may not read is an error that names table and owner")
  func permission() throws {
    try withDatabase { database in
      let role = TemporaryCluster.uniqueName("reader")
      try database.psql("CREATE ROLE \(role) LOGIN")
      defer { _ = try? database.psql("DROP ROLE \(role)") }
      let connection = try Connection(
        ConnectionTarget(database.url(user: role)), ConnectionOptions(applicationName: "pgkeep"),
        cancellation: Cancellation())
      do {
        _ = try SnapshotSession.open(connection)
        Issue.record("a table was locked without the right to")
      } catch let error as LogicalBackupError {
        #expect(error.code == .permission && error.object == "public.t")
        #expect(error.message.contains("postgres") && error.message.contains(role))
      }
    }
  }

  @Test("Too small a lock table is said beforehand, with what is needed")
  func lockTable() throws {
    var options = ClusterOptions()
    options.settings = ["max_locks_per_transaction": "10", "max_connections": "20"]
    let cluster = try TemporaryCluster(15, options)
    let database = try cluster.createDatabase()
    try database.psql(
      "SELECT format('CREATE TABLE t%s ()', i) FROM generate_series(1, 100) i \\gexec\n"
        + "SELECT format('CREATE TABLE u%s ()', i) FROM generate_series(1, 100) i \\gexec")
    do {
      _ = try SnapshotSession.open(try connect(database))
      Issue.record("400 locks in room for 200")
    } catch let error as LogicalBackupError {
      #expect(error.code == .configuration)
      #expect(error.message.contains("max_locks_per_transaction to 21 or more"))
    }
  }

  @Test("A changed schema shows in the catalogs' fingerprint; temporary tables do not")
  func fingerprint() throws {
    try withDatabase { database in
      let session = try SnapshotSession.open(try connect(database))
      let before = try CatalogFingerprint.read(session.connection)
      let other = try connect(database)
      #expect(try CatalogFingerprint.read(other) == before)
      let temporary = try connect(database)
      try temporary.run("CREATE TEMP TABLE x (a serial PRIMARY KEY, b text DEFAULT 'y')")
      try other.run("VACUUM ANALYZE public.t")
      #expect(try CatalogFingerprint.read(other) == before)
      for (change, catalog) in [
        ("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'", "pg_proc"),
        ("CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 2'", "pg_proc"),
        ("COMMENT ON TABLE t IS 'x'", "pg_description"),
        ("CREATE VIEW v AS SELECT 1", "pg_rewrite"),
      ] {
        let last = try CatalogFingerprint.read(other)
        try database.psql(change)
        #expect(try last.changes(to: CatalogFingerprint.read(other)).contains(catalog))
        #expect(try CatalogFingerprint.read(session.connection) == before)
      }
      session.close()
    }
  }
}
