import ByteStream
import Postgres
import TestSupport
import Testing

@Suite struct ConnectionTests {
  let cluster: TemporaryCluster

  init() throws { cluster = try .shared(15) }

  func connect(
    _ url: String? = nil, _ profile: SessionProfile = .data,
    cancellation: Cancellation = Cancellation()
  ) throws -> Connection {
    try Connection(
      ConnectionTarget(url ?? cluster.url()),
      ConnectionOptions(applicationName: "pgkeep test", profile: profile),
      cancellation: cancellation)
  }

  @Test func everyVersionConnects() throws {
    for major in TemporaryCluster.installedMajors {
      let connection = try connect(TemporaryCluster.shared(major).url())
      #expect(connection.majorVersion == major)
      #expect(
        try connection.query("SELECT current_setting('server_version_num')").int(0, 0)
          == connection.serverVersion)
    }
  }

  @Test func parametersGoApartFromTheStatement() throws {
    let connection = try connect()
    let row = try connection.query("SELECT $1::text, $2::int + 1, $3::text", ["a'b\\", "41", nil])
    #expect(row.string(0, 0) == "a'b\\")
    #expect(row.int(0, 1) == 42)
    #expect(row.isNull(0, 2))
  }

  @Test func serverErrorKeepsAllItSays() throws {
    let connection = try connect()
    let error = #expect(throws: PostgresError.self) {
      try connection.run("SELECT * FROM pg_catalog.pg_class WHERE nope = 1")
    }
    #expect(error?.code == .server)
    #expect(error?.sqlState == "42703")
    #expect(error?.server?.position == 41)
    let raised = #expect(throws: PostgresError.self) {
      try connection.run(
        "DO $$BEGIN RAISE 'm' USING DETAIL = 'd', HINT = 'h', ERRCODE = 'AB123'; END$$")
    }
    #expect(raised?.server?.detail == "d")
    #expect(raised?.server?.hint == "h")
    #expect(raised?.sqlState == "AB123")
    #expect(try connection.query("SELECT 1").int(0, 0) == 1)
  }

  @Test func codesOfARefusedConnection() throws {
    func code(_ url: String) -> PostgresError.Code? {
      #expect(throws: PostgresError.self) { _ = try connect(url) }?.code
    }
    #expect(code(cluster.url("no_such_database")) == .noSuchDatabase)
    #expect(code("postgresql://nobody@127.0.0.1:\(cluster.port)/postgres") == .authentication)
    #expect(code("postgresql://postgres@127.0.0.1:1/postgres") == .unreachable)
    let guarded = try TemporaryCluster(15, ClusterOptions(password: "right-one"))
    defer { try? guarded.stop() }
    let wrong = "postgresql://postgres:wrong-one@127.0.0.1:\(guarded.port)/postgres"
    let error = #expect(throws: PostgresError.self) { _ = try connect(wrong) }
    #expect(error?.code == .authentication)
    #expect(error.map { "\($0)".contains("wrong-one") } == false)
  }

  @Test func profileBeatsTheRolesSettings() throws {
    let role = "hostile_\(UInt32.random(in: 0...UInt32.max))"
    try cluster.psql("CREATE ROLE \(role) LOGIN SUPERUSER")
    defer { _ = try? cluster.psql("DROP ROLE \(role)") }
    for (setting, value) in [
      ("\"DateStyle\"", "'German'"), ("\"IntervalStyle\"", "'sql_standard'"),
      ("extra_float_digits", "0"), ("bytea_output", "'escape'"), ("\"TimeZone\"", "'Asia/Tokyo'"),
      ("search_path", "'pg_temp, public'"), ("row_security", "on"), ("statement_timeout", "'1h'"),
      ("idle_in_transaction_session_timeout", "'1h'"), ("default_transaction_read_only", "on"),
      ("client_encoding", "'LATIN1'"), ("synchronize_seqscans", "on"),
    ] {
      try cluster.psql("ALTER ROLE \(role) SET \(setting) = \(value)")
    }
    let connection = try connect(cluster.url(user: role))
    func shows(_ setting: String) throws -> String {
      try connection.query("SELECT pg_catalog.current_setting($1)", [SQLText(setting)]).string(0, 0)
    }
    #expect(try shows("DateStyle") == "ISO, YMD")
    #expect(try shows("IntervalStyle") == "postgres")
    #expect(try shows("extra_float_digits") == "3")
    #expect(try shows("bytea_output") == "hex")
    #expect(try shows("TimeZone") == "UTC")
    #expect(try shows("search_path") == "")
    #expect(try shows("row_security") == "off")
    #expect(try shows("statement_timeout") == "0")
    #expect(try shows("idle_in_transaction_session_timeout") == "0")
    #expect(try shows("default_transaction_read_only") == "off")
    #expect(try shows("client_encoding") == "UTF8")
    #expect(try shows("synchronize_seqscans") == "off")
    #expect(try shows("client_connection_check_interval") == "2s")
  }

  @Test func timeoutEndsTheStatementAndKeepsTheSession() throws {
    let connection = try connect()
    let error = #expect(throws: PostgresError.self) {
      try connection.run("SELECT pg_catalog.pg_sleep(60)", timeout: .milliseconds(300))
    }
    #expect(error?.code == .timedOut)
    #expect(try connection.query("SELECT 1").int(0, 0) == 1)
  }

  @Test func cancellingTheRunEndsTheStatementOnTheServer() throws {
    let cancellation = Cancellation()
    let connection = try connect(cancellation: cancellation)
    let pid = connection.processID
    let canceller = ThreadGroup(following: Cancellation())
    canceller.start("canceller") {
      let watcher = try self.connect()
      while try watcher.query(
        "SELECT 1 FROM pg_stat_activity WHERE pid = $1::int AND query ~ 'pg_sleep'",
        ["\(pid)"]
      ).rowCount == 0 {}
      cancellation.cancel(reason: "interrupted by a test")
    }
    let error = #expect(throws: PostgresError.self) {
      try connection.run("SELECT pg_catalog.pg_sleep(60)")
    }
    try canceller.join()
    #expect(error?.code == .cancelled)
    #expect(error?.message == "Stopped: interrupted by a test.")
    let watcher = try connect()
    let active = try watcher.query(
      "SELECT 1 FROM pg_stat_activity WHERE pid = $1::int AND state = 'active'", ["\(pid)"])
    #expect(active.rowCount == 0)
  }

  @Test func rowByRowTakesErrorsOfBothSides() throws {
    struct Enough: Error {}
    let connection = try connect()
    var sum = 0
    try connection.forEachRow("SELECT * FROM pg_catalog.generate_series(1, 1000)") {
      sum += $0.int(0, 0) ?? 0
    }
    #expect(sum == 500_500)
    #expect(throws: Enough.self) {
      try connection.forEachRow("SELECT * FROM pg_catalog.generate_series(1, 10000000)") { _ in
        throw Enough()
      }
    }
    let error = #expect(throws: PostgresError.self) {
      try connection.forEachRow("SELECT 1 / (5 - g) FROM pg_catalog.generate_series(1, 9) g") { _ in
      }
    }
    #expect(error?.sqlState == "22012")
    #expect(try connection.query("SELECT 1").int(0, 0) == 1)
  }

  @Test func firstHostThatAnswersIsKept() throws {
    let url = "postgresql://postgres@127.0.0.1:1,127.0.0.1:\(cluster.port)/postgres"
    let connection = try connect(url)
    #expect(connection.target.port == "\(cluster.port)")
    let second = try Connection(
      connection.target, ConnectionOptions(applicationName: "pgkeep test"),
      cancellation: Cancellation())
    #expect(second.isUsable)
  }

  @Test func noticesReachTheHandler() throws {
    let connection = try connect(nil, .statements)
    var notices: [String] = []
    connection.onNotice = { notices.append($0.message) }
    try connection.run("DO $$BEGIN RAISE NOTICE 'mind the gap'; END$$")
    #expect(notices == ["mind the gap"])
  }

  @Test func copyWhereNoneBelongsIsAnError() throws {
    let connection = try connect()
    let error = #expect(throws: PostgresError.self) {
      try connection.run("COPY (SELECT 1) TO STDOUT")
    }
    #expect(error?.code == .unexpectedAnswer)
  }

  @Test func killedSessionIsSaidToBeLost() throws {
    let connection = try connect()
    try cluster.psql("SELECT pg_terminate_backend(\(connection.processID))")
    let error = #expect(throws: PostgresError.self) { try connection.run("SELECT 1") }
    #expect(error?.code == .connectionLost)
    #expect(!connection.isUsable)
  }
}
