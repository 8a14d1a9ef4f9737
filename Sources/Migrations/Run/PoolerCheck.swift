import Postgres

/// Finds out whether a pooler gives the statements of one session to changing server sessions.
///
/// Behind such a pooler an advisory lock belongs to nobody in particular, and settings leak into
/// other programs' sessions.
enum PoolerCheck {
  /// Runs before the lock is taken: behind such a pooler it would stay with a server session that
  /// goes to somebody else.
  ///
  /// - Parameter probe: makes a second connection, which is needed only behind a pooler.
  /// - Throws: ``MigrationsError/Code/transactionPooler``.
  static func run(_ lock: Connection, probe: () throws -> Connection) throws {
    // Directly connected, the number that libpq was told at login is the server process's own.
    let first = try serverProcess(lock)
    if first == lock.processID { return }
    let work = try probe()
    defer { work.close() }
    for _ in 0..<3 {
      try work.run("BEGIN")
      let other = try serverProcess(work)
      // While `work` keeps one server session busy, ours has to stay the one it was.
      let isMoved = try other == first || serverProcess(lock) != first
      try work.run("ROLLBACK")
      guard !isMoved else {
        throw MigrationsError(
          .transactionPooler,
          "\(lock.target) is a connection pooler in transaction mode: statements of one session "
            + "reach changing server sessions, so no lock can be held and settings leak. Give the "
            + "database server's own address (or a pooler's port in session mode) in DATABASE_URL.")
      }
    }
  }

  private static func serverProcess(_ connection: Connection) throws -> Int {
    try connection.query("SELECT pg_catalog.pg_backend_pid()", timeout: .seconds(30)).int(0, 0) ?? 0
  }
}
