import ByteStream
import LogicalBackup
import ObjectStore
import Postgres

/// The checks of the database server, over one session.
struct ServerCheckup {
  static let applicationName = "pgkeep doctor"
  /// What `backup wal` calls itself, which is what a server compares.
  static let receiverName = "pgkeep wal"

  let target: ConnectionTarget
  let options: Doctor.Options
  let list: Checklist

  init(_ target: ConnectionTarget, _ options: Doctor.Options, _ list: Checklist) {
    self.target = target
    self.options = options
    self.list = list
  }

  /// Nil when there is no connection.
  func examine() throws -> ServerFacts? {
    let connection: Connection
    let started = ContinuousClock.now
    do {
      connection = try Connection(
        target,
        ConnectionOptions(applicationName: Self.applicationName, connectTimeout: list.limit),
        cancellation: list.cancellation)
    } catch {
      try list.cancellation.check()
      list.add(
        "database.connection",
        .failure(
          "\(error)",
          "Look whether the server runs, whether DATABASE_URL names it, its database and its role "
            + "rightly, and whether pg_hba.conf lets this host in."))
      return nil
    }
    defer { connection.close() }
    var facts = ServerFacts(database: target.database ?? "")
    try list.check("database.connection", advice: "Look into the server's log.") {
      let row = try connection.query(
        "SELECT current_database(), session_user, pg_is_in_recovery()", timeout: list.limit)
      facts.database = row.string(0, 0)
      return .ok(
        "\(row.string(0, 1)) is connected to \(facts.database) on "
          + "\(connection.target.host ?? "a local socket")\(row.bool(0, 2) ? ", a standby," : "") "
          + "within \(Int((ContinuousClock.now - started) / .milliseconds(1))) ms")
    }
    try checkVersion(connection)
    try checkTLS(connection)
    try checkRights(connection)
    try checkKinds(connection, &facts)
    try checkClock(connection)
    try checkSynchronous(connection)
    try CollationCheck(connection, list).examine()
    try checkLockTable(connection)
    if list.wantsArea("backup") { facts.readMore(connection, list.limit) }
    return facts
  }

  private func checkVersion(_ connection: Connection) throws {
    try list.check("database.version", advice: "") {
      let major = connection.majorVersion
      return Self.version(major, connection.reportedParameter("server_version") ?? "\(major)")
    }
  }

  static func version(_ major: Int, _ version: String) -> Checklist.Verdict {
    let tested = SupportedServers.tested
    let text = "the server is PostgreSQL \(version)"
    if major < tested.lowerBound {
      return .failure(
        "\(text); pgkeep is made for \(tested.lowerBound) and later", "Upgrade the server.")
    }
    if major > tested.upperBound {
      return .warning(
        "\(text), which is newer than this pgkeep knows", "Look for a newer pgkeep.")
    }
    return .ok(text)
  }

  private func checkTLS(_ connection: Connection) throws {
    try list.check("database.tls", advice: "") {
      Self.encryption(connection.usesTLS, host: connection.target.host ?? "/")
    }
  }

  static func encryption(_ usesTLS: Bool, host: String) -> Checklist.Verdict {
    if usesTLS { return .ok("the session is encrypted by TLS") }
    if host.hasPrefix("/") || host.hasPrefix("@") {
      return .ok("the session goes over a local socket")
    }
    if ["localhost", "127.0.0.1", "::1"].contains(host) {
      return .ok("the session does not leave this host, and is not encrypted")
    }
    return .warning(
      "the session with \(host) is not encrypted: whoever is on the way reads all of the data",
      "Set ssl = on on the server, and put sslmode=verify-full into DATABASE_URL.")
  }

  private func checkRights(_ connection: Connection) throws {
    try list.check("database.rights", advice: "Look into the server's log.") {
      // Tables of extensions come with CREATE EXTENSION, not with their rows.
      let missing = try connection.query(
        """
        SELECT format('%I.%I', n.nspname, c.relname), session_user
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p', 'S') AND c.relpersistence <> 't'
          AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
          AND NOT EXISTS (
            SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
              AND d.deptype = 'e')
          AND NOT (has_schema_privilege(n.oid, 'USAGE') AND
            CASE c.relkind WHEN 'S' THEN has_sequence_privilege(c.oid, 'SELECT')
              ELSE has_table_privilege(c.oid, 'SELECT') END)
        ORDER BY 1
        """, timeout: list.limit)
      if missing.rowCount > 0 {
        let names = (0..<missing.rowCount).map { missing.string($0, 0) }
        return .failure(
          "the role may not read \(missing.rowCount) tables or sequences: \(Wording.some(names))",
          "Run as a superuser: GRANT pg_read_all_data TO \(missing[0, 1]?.quotedIdentifier ?? "")")
      }
      let hidden = try connection.query(
        """
        SELECT format('%I.%I', n.nspname, c.relname), session_user
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relrowsecurity AND c.relkind IN ('r', 'p') AND row_security_active(c.oid)
        ORDER BY 1
        """, timeout: list.limit)
      if hidden.rowCount > 0 {
        let names = (0..<hidden.rowCount).map { hidden.string($0, 0) }
        return .failure(
          "row security hides rows of \(hidden.rowCount) tables from the role: "
            + Wording.some(names),
          "Run as a superuser: ALTER ROLE \(hidden[0, 1]?.quotedIdentifier ?? "") BYPASSRLS")
      }
      return .ok("the role may read all tables and sequences")
    }
  }

  private func checkClock(_ connection: Connection) throws {
    try list.check("database.clock", advice: "Look into the server's log.") {
      let before = UTCTime.now()
      let row = try connection.query(
        "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint", timeout: list.limit)
      let server = UTCTime(milliseconds: Int64(row.int(0, 0) ?? 0))
      return ClockCheck.verdict(
        "the server", server, between: before, and: .now(), failsAt: .infinity)
    }
  }

  private func checkSynchronous(_ connection: Connection) throws {
    try list.check("database.synchronous", advice: "Look into the server's log.") {
      let setting = try connection.query(
        "SELECT current_setting('synchronous_standby_names')", timeout: list.limit
      ).string(0, 0)
      if StandbyNames(setting).take(Self.receiverName) {
        return .warning(
          "synchronous_standby_names = '\(setting)' takes \"backup wal\" for a synchronous "
            + "standby: every commit would wait for the store",
          "Name the real standbys in synchronous_standby_names, neither * nor "
            + "\"\(Self.receiverName)\".")
      }
      return .ok("\"backup wal\" is not taken for a synchronous standby")
    }
  }

  private func checkLockTable(_ connection: Connection) throws {
    try list.check(
      "database.lock_table", advice: "Backups of the whole database fail until that is done."
    ) {
      let tables =
        try connection.query(
          """
          SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
          WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't'
            AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
          """, timeout: list.limit
        ).int(0, 0) ?? 0
      try LockTableSize.check(connection, tables: tables, timeout: list.limit)
      return .ok("the lock table has room for the \(tables) tables that a backup locks")
    }
  }
}
