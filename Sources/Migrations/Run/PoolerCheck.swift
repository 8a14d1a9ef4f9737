import Postgres

/// Finds out whether a pooler gives the statements of one session to changing server sessions.
///
/// Behind such a pooler an advisory lock belongs to nobody in particular, and settings leak into
/// other programs' sessions.
enum PoolerCheck {
  /// - Parameters:
  ///   - lock: idle, and holding the lock.
  ///   - work: a second connection.
  /// - Throws: ``MigrationsError/Code/transactionPooler``.
  static func run(lock: Connection, work: Connection) throws {
    // A direct connection, or a pooler that passes the server's own answer on: the number that
    // libpq was told at login is the one that the server knows.
    let first = try serverProcess(lock)
    if first == lock.processID, try serverProcess(work) == work.processID, first != work.processID {
      return
    }
    for _ in 0..<3 {
      try work.run("BEGIN")
      let other = try serverProcess(work)
      // While `work` keeps one server session busy, ours has to stay what it is.
      let isMoved = other == first ? true : try serverProcess(lock) != first
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
