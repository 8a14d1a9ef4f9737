import ByteStream
import Glibc
import Postgres

/// A session in a database other than the one that is restored, to make, rename and drop databases.
struct Maintenance {
  let connection: Connection

  /// - Parameter name: the database that is restored, which is not the one to be in.
  init(_ target: ConnectionTarget, avoiding name: String, cancellation: Cancellation) throws {
    var first: PostgresError?
    for database in ["postgres", "template1", "defaultdb"] where database != name {
      do {
        connection = try Connection(
          target.with(database: database),
          ConnectionOptions(applicationName: "pgkeep restore"), cancellation: cancellation)
        return
      } catch let error as PostgresError {
        let isRefused =
          error.code == .noSuchDatabase || error.code == .authentication
          || error.message.contains("permission denied")
        guard isRefused else { throw error }
        first = first ?? error
      }
    }
    throw first ?? PostgresError(.unreachable, "There is no database to connect to.")
  }

  var role: String {
    get throws { try connection.query("SELECT current_user").string(0, 0) }
  }

  /// The server's time for names: `20261122T183000Z`.
  func time() throws -> String {
    try connection.query(
      """
      SELECT pg_catalog.to_char(pg_catalog.clock_timestamp() AT TIME ZONE 'UTC',
        'YYYYMMDD"T"HH24MISS"Z"')
      """
    ).string(0, 0)
  }

  /// Whether the role may create databases.
  func mayCreateDatabases() throws -> Bool {
    try connection.query(
      "SELECT rolsuper OR rolcreatedb FROM pg_catalog.pg_roles WHERE rolname = current_user"
    ).bool(0, 0)
  }

  func comment(on name: String) throws -> SQLText? {
    let rows = try connection.query(
      """
      SELECT pg_catalog.shobj_description(oid, 'pg_database') FROM pg_catalog.pg_database
      WHERE datname = $1
      """, [SQLText(name)])
    return rows.rowCount == 1 ? rows[0, 0] : nil
  }

  func exists(_ name: String) throws -> Bool {
    try connection.query(
      "SELECT FROM pg_catalog.pg_database WHERE datname = $1", [SQLText(name)]
    ).rowCount > 0
  }

  /// Takes the lock that says that a restore into `name` is going on, waiting a little for the
  /// session of a killed run to end.
  func lock(_ names: DatabaseNames) throws {
    for attempt in 0..<50 {
      if attempt > 0 { usleep(200_000) }
      let answer = try connection.query(
        "SELECT pg_catalog.pg_try_advisory_lock(\(AdvisoryLocks.restoreClass), \(names.lockKey))")
      if answer.bool(0, 0) { return }
    }
    throw LogicalBackupError(
      .targetBusy,
      "Another restore into the database \(names.final) is going on. Wait for it, or end it.")
  }

  /// Sessions in a database, apart from the server's own workers.
  func sessions(in name: String) throws -> [Session] {
    let rows = try connection.query(
      """
      SELECT pid, coalesce(usename, ''), coalesce(application_name, '')
      FROM pg_catalog.pg_stat_activity WHERE datname = $1 AND backend_type IS DISTINCT FROM
        'autovacuum worker' AND pid <> pg_catalog.pg_backend_pid()
      """, [SQLText(name)])
    return (0..<rows.rowCount).map { row in
      Session(pid: rows.int(row, 0) ?? 0, role: rows.string(row, 1), program: rows.string(row, 2))
    }
  }

  struct Session {
    var pid: Int
    var role: String
    var program: String
  }

  /// Ends the sessions in a database where the role may, and waits for them to be gone.
  ///
  /// - Returns: those that are still there.
  func endSessions(in name: String, patience: Duration) throws -> [Session] {
    let deadline = ContinuousClock.now + patience
    while true {
      let left = try sessions(in: name)
      if left.isEmpty || ContinuousClock.now >= deadline { return left }
      for session in left {
        // One that the role may not end is found again below.
        _ = try? connection.query("SELECT pg_catalog.pg_terminate_backend(\(session.pid))")
      }
      usleep(100_000)
    }
  }

  /// Drops a database that a restore was filling, its sessions included.
  func drop(_ name: String) throws {
    let statement: SQLText = "DROP DATABASE IF EXISTS \(SQLText(name).quotedIdentifier)"
    do {
      try connection.run(statement + " WITH (FORCE)", timeout: .seconds(120))
    } catch let error as PostgresError where error.sqlState == .insufficientPrivilege {
      // FORCE asks for the right to end each process there, an autovacuum worker's too, which a
      // plain owner has not. Without it the server ends that worker by itself, and our sessions are
      // ended here.
      _ = try endSessions(in: name, patience: .seconds(1))
      try connection.run(statement, timeout: .seconds(120))
    }
  }
}
