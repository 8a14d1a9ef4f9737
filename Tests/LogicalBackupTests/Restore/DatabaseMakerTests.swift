import ByteStream
import Glibc
import LogicalBackup
import Postgres
import TestSupport
import Testing

@Suite struct DatabaseMakerTests {
  static let majors = [15, 18]

  private func make(
    _ url: String, _ mode: RestoreMode, _ traits: DatabaseTraits = DatabaseTraits()
  ) throws -> any RestoreTarget {
    try DatabaseMaker.make(
      ConnectionTarget(url), mode: mode, traits: traits, cancellation: Cancellation())
  }

  private func run(_ sql: SQLText, in target: any RestoreTarget) throws {
    let connection = try Connection(
      target.connectionTarget, ConnectionOptions(applicationName: "pgkeep test"),
      cancellation: Cancellation())
    try connection.run("\(target.transactionPrefix)\(sql)")
    connection.close()
  }

  private func databases(_ cluster: TemporaryCluster, like name: String) throws -> [String] {
    let names = try cluster.psql(
      "SELECT datname FROM pg_database WHERE starts_with(datname, '\(name)') ORDER BY 1")
    return names.split(separator: "\n").map(String.init)
  }

  private func code(_ body: () throws -> Void) -> LogicalBackupError.Code? {
    #expect(throws: LogicalBackupError.self) { try body() }?.code
  }

  /// pg_dump's output without the lines that hold a random key.
  private func lines(_ dump: String) -> [Substring] {
    dump.split(separator: "\n").filter { !$0.hasPrefix("\\") }
  }

  private static func name() -> String { TemporaryCluster.uniqueName("make") }

  /// A plain owner may not end it, and the server would refuse for it.
  @Test(arguments: majors) func anAutovacuumWorkerKeepsNothingFromBeingRemoved(major: Int) throws {
    let cluster = try TemporaryCluster(
      major,
      ClusterOptions(settings: [
        "autovacuum": "on", "autovacuum_naptime": "1", "autovacuum_vacuum_cost_delay": "100",
        "autovacuum_vacuum_cost_limit": "1", "autovacuum_vacuum_scale_factor": "0",
        "autovacuum_vacuum_threshold": "1",
      ]))
    try cluster.psql("CREATE ROLE plain LOGIN CREATEDB")
    let target = try make(cluster.url("made", user: "plain"), .new)
    try run(
      "CREATE TABLE public.t AS SELECT g FROM generate_series(1, 200000) g", in: target)
    try run("DELETE FROM public.t WHERE g % 2 = 0", in: target)
    let workers = """
      SELECT count(*) FROM pg_stat_activity
      WHERE backend_type = 'autovacuum worker' AND datname LIKE 'made%'
      """
    let limit = ContinuousClock.now + .seconds(60)
    while try cluster.psql(workers) == "0" {
      guard ContinuousClock.now < limit else { throw TestSupportError("no worker came") }
      usleep(100_000)
    }
    target.abandon()
    #expect(try databases(cluster, like: "made").isEmpty)
  }

  @Test(arguments: majors) func aNewDatabaseIsSeenOnlyWhenWhole(major: Int) throws {
    let cluster = try TemporaryCluster.shared(major)
    let name = Self.name()
    let target = try make(
      cluster.url(name), .new,
      DatabaseTraits(
        encoding: "LATIN1",
        locale: DatabaseTraits.Locale(provider: .libc, collate: "C", ctype: "C"),
        owner: "postgres"))
    try run("CREATE TABLE public.t (a int)", in: target)
    #expect(try databases(cluster, like: name) == [target.connectionTarget.database])
    #expect(code { _ = try make(cluster.url(name), .new) } == .targetBusy)
    try target.complete()
    #expect(try databases(cluster, like: name) == [name])
    #expect(target.notes.isEmpty)
    #expect(
      try cluster.psql(
        "SELECT pg_encoding_to_char(encoding), datcollate FROM pg_database WHERE datname = '\(name)'"
      ) == "LATIN1|C")
    #expect(try cluster.psql("SELECT count(*) FROM t", database: name) == "0")
    target.abandon()
    #expect(try databases(cluster, like: name) == [name])
    #expect(code { _ = try make(cluster.url(name), .new) } == .notEmpty)
  }

  @Test(arguments: majors) func localesOfEveryProvider(major: Int) throws {
    let cluster = try TemporaryCluster.shared(major)
    let icu = DatabaseTraits(
      encoding: "UTF8",
      locale: .init(provider: .icu, collate: "C", ctype: "C", name: "de-AT", icuRules: "&a < g"))
    let name = Self.name()
    let hasICU = try cluster.psql(
      "SELECT count(*) > 0 FROM pg_collation WHERE collname = 'de-x-icu'")
    if hasICU == "t" {
      try make(cluster.url(name), .new, icu).complete()
      #expect(
        try cluster.psql("SELECT datlocprovider FROM pg_database WHERE datname = '\(name)'") == "i")
    }
    let builtin = DatabaseTraits(
      encoding: "UTF8",
      locale: .init(provider: .builtin, collate: "C", ctype: "C", name: "C.UTF-8"))
    if major >= 17 {
      try make(cluster.url(Self.name()), .new, builtin).complete()
    } else {
      #expect(code { _ = try make(cluster.url(Self.name()), .new, builtin) } == .targetLacks)
    }
    let unknown = DatabaseTraits(
      encoding: "UTF8", locale: .init(provider: .libc, collate: "xx_YY", ctype: "xx_YY"))
    let other = Self.name()
    #expect(code { _ = try make(cluster.url(other), .new, unknown) } == .targetLacks)
    #expect(try databases(cluster, like: other) == [])
  }

  @Test(arguments: majors) func whatAFailedOrKilledRunLeavesIsRemoved(major: Int) throws {
    let cluster = try TemporaryCluster.shared(major)
    let name = Self.name()
    let failed = try make(cluster.url(name), .new)
    try run("CREATE TABLE public.t (a int)", in: failed)
    failed.abandon()
    #expect(try databases(cluster, like: name) == [])
    // As a killed process leaves it: sessions closed, nothing cleaned.
    var killed: (any RestoreTarget)? = try make(cluster.url(name), .new)
    let leftover = try #require(killed?.connectionTarget.database)
    killed = nil
    #expect(try databases(cluster, like: name) == [leftover])
    let next = try make(cluster.url(name), .new)
    #expect(next.notes.contains { $0.contains(leftover) })
    try next.complete()
    #expect(try databases(cluster, like: name) == [name])
  }

  @Test(arguments: majors) func aLongNameStaysWithinTheLimit(major: Int) throws {
    let cluster = try TemporaryCluster.shared(major)
    let base = Self.name()
    let name = base + String(repeating: "é", count: (63 - base.utf8.count) / 2)
    try make(cluster.url(name), .new).complete()
    try make(cluster.url(name), .replace).complete()
    let all = try databases(cluster, like: base)
    #expect(all.count == 2)
    #expect(all.contains(name))
    #expect(all.allSatisfy { $0.utf8.count <= 63 })
  }

  @Test(arguments: majors) func replacingKeepsTheOldOneAndItsSettings(major: Int) throws {
    let cluster = try TemporaryCluster.shared(major)
    let name = Self.name()
    let role = Self.name()
    try cluster.psql(
      """
      CREATE ROLE \(role);
      CREATE DATABASE \(name);
      COMMENT ON DATABASE \(name) IS 'the shop';
      ALTER DATABASE \(name) CONNECTION LIMIT 7;
      ALTER DATABASE \(name) SET search_path = "$user", 'odd name', public;
      ALTER DATABASE \(name) SET work_mem = '7MB';
      ALTER DATABASE \(name) SET my.setting = 'it''s';
      ALTER ROLE \(role) IN DATABASE \(name) SET work_mem = '8MB';
      REVOKE CONNECT ON DATABASE \(name) FROM PUBLIC;
      GRANT CONNECT ON DATABASE \(name) TO \(role) WITH GRANT OPTION;
      """)
    try cluster.psql("CREATE TABLE old (a int)", database: name)
    let facts = """
      SELECT datconnlimit, datallowconn,
        (SELECT array_agg(a::text ORDER BY a::text) FROM unnest(datacl) a), shobj_description(d.oid, 'pg_database'),
        (SELECT array_agg(s.setconfig::text || s.setrole ORDER BY s.setrole)
         FROM pg_db_role_setting s WHERE s.setdatabase = d.oid)
      FROM pg_database d WHERE datname = '\(name)'
      """
    let factsBefore = try cluster.psql(facts)
    // Somebody is connected, and would go on being so.
    let other = try Connection(
      ConnectionTarget(cluster.url(name)), ConnectionOptions(applicationName: "application"),
      cancellation: Cancellation())
    let target = try make(cluster.url(name), .replace)
    try run("CREATE TABLE public.new (a int)", in: target)
    #expect(try cluster.psql("SELECT to_regclass('old') IS NOT NULL", database: name) == "t")
    try target.complete()
    #expect(throws: PostgresError.self) { try other.run("SELECT 1") }
    let all = try databases(cluster, like: name)
    #expect(all.count == 2)
    let before = try #require(all.last)
    #expect(before.hasPrefix("\(name)_before_2"))
    #expect(target.notes.contains { $0.contains(before) })
    #expect(try cluster.psql("SELECT to_regclass('new') IS NOT NULL", database: name) == "t")
    #expect(try cluster.psql("SELECT to_regclass('old') IS NOT NULL", database: before) == "t")
    #expect(try cluster.psql(facts) == factsBefore)
    #expect(target.notes.count == 1)
    for database in all { try cluster.psql("DROP DATABASE \"\(database)\"") }
    try cluster.psql("DROP ROLE \(role)")
  }

  @Test(arguments: majors) func aSessionThatMayNotBeEndedLosesNothing(major: Int) throws {
    let cluster = try TemporaryCluster.shared(major)
    let (name, role) = (Self.name(), Self.name())
    try cluster.psql("CREATE ROLE \(role) LOGIN CREATEDB; CREATE DATABASE \(name) OWNER \(role)")
    let superuser = try Connection(
      ConnectionTarget(cluster.url(name)), ConnectionOptions(applicationName: "admin's own"),
      cancellation: Cancellation())
    let target = try make(cluster.url(name, user: role), .replace)
    try run("CREATE TABLE public.new (a int)", in: target)
    let error = #expect(throws: LogicalBackupError.self) { try target.complete() }
    #expect(error?.code == .notSwitched)
    let text = try #require(error).description
    #expect(text.contains("admin's own"))
    // The old one works as before, the new one is whole, and the printed commands finish the job.
    #expect(try superuser.query("SELECT 1").int(0, 0) == 1)
    #expect(try cluster.psql("SELECT 1", database: name) == "1")
    superuser.close()
    let commands = text.split(separator: "\n").filter { $0.contains("ALTER DATABASE") }
    #expect(commands.count == 2)
    for command in commands {
      // The server may take a moment to see that the session has gone.
      try cluster.psql("SELECT pg_sleep(0.2)")
      try cluster.psql(String(command), user: role)
    }
    #expect(try cluster.psql("SELECT to_regclass('new') IS NOT NULL", database: name) == "t")
    for database in try databases(cluster, like: name) {
      try cluster.psql("DROP DATABASE \"\(database)\"")
    }
    try cluster.psql("DROP ROLE \(role)")
  }

  @Test(arguments: majors) func anInterruptedReplacementIsUndoneByTheNext(major: Int) throws {
    let cluster = try TemporaryCluster.shared(major)
    let name = Self.name()
    try cluster.psql("CREATE DATABASE \(name)")
    var killed: (any RestoreTarget)? = try make(cluster.url(name), .replace)
    let leftover = try #require(killed?.connectionTarget.database)
    killed = nil
    // What stands between the first and the last step of a replacement.
    try cluster.psql(
      """
      COMMENT ON DATABASE "\(leftover)" IS
        'pgkeep: connections to the database are refused while it is replaced';
      ALTER DATABASE "\(name)" ALLOW_CONNECTIONS false
      """)
    let next = try make(cluster.url(name), .replace)
    #expect(next.notes.contains { $0.contains("opened again") })
    #expect(try cluster.psql("SELECT 1", database: name) == "1")
    next.abandon()
    #expect(try databases(cluster, like: name) == [name])
  }

  @Test(arguments: majors) func rolesThatMayNotAreToldSo(major: Int) throws {
    let cluster = try TemporaryCluster.shared(major)
    let (name, plain, creator) = (Self.name(), Self.name(), Self.name())
    try cluster.psql(
      "CREATE ROLE \(plain) LOGIN; CREATE ROLE \(creator) LOGIN CREATEDB; CREATE DATABASE \(name)")
    defer {
      _ = try? cluster.psql("DROP DATABASE \(name)")
      _ = try? cluster.psql("DROP ROLE \(plain); DROP ROLE \(creator)")
    }
    #expect(code { _ = try make(cluster.url(Self.name(), user: plain), .new) } == .permission)
    #expect(code { _ = try make(cluster.url(name, user: creator), .replace) } == .permission)
    #expect(code { _ = try make(cluster.url(name, user: plain), .intoEmpty) } == .permission)
    #expect(code { _ = try make(cluster.url(Self.name()), .intoEmpty) } == .targetMissing)
    // An owner that cannot be had is said, and the database made all the same.
    let other = Self.name()
    for owner in ["postgres", "no_such_role"] {
      let target = try make(
        cluster.url(other, user: creator), .new, DatabaseTraits(owner: SQLText(owner)))
      #expect(target.notes.count == 1)
      #expect(target.notes.first?.contains(owner) == true)
      target.abandon()
    }
    #expect(try databases(cluster, like: other) == [])
  }

  @Test(arguments: majors) func intoEmptyMarksAndRefusesWhatIsNotEmpty(major: Int) throws {
    let cluster = try TemporaryCluster.shared(major)
    let role = Self.name()
    try cluster.psql("CREATE ROLE \(role) LOGIN")
    let database = try cluster.createDatabase(owner: role)
    let url = database.url(user: role)
    let target = try make(url, .intoEmpty)
    #expect(try database.psql("SELECT count(*) FROM pgkeep_restore.transactions") == "1")
    try run("CREATE TABLE public.t (a int)", in: target)
    try target.complete()
    #expect(try database.psql("SELECT to_regnamespace('pgkeep_restore')") == "")
    let refused = #expect(throws: LogicalBackupError.self) { _ = try make(url, .intoEmpty) }
    #expect(refused?.code == .notEmpty)
    #expect(refused?.message.contains("table public.t") == true)
    try database.drop()
    for sql in [
      "CREATE TYPE e AS ENUM ()", "CREATE SCHEMA s", "SELECT lo_create(0)",
      "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'", "CREATE SEQUENCE s",
      "CREATE DOMAIN d AS int", "CREATE VIEW v AS SELECT 1", "CREATE TYPE c AS (a int)",
      "CREATE TEXT SEARCH CONFIGURATION c (COPY = simple)",
    ] {
      let full = try cluster.createDatabase()
      try full.psql(sql)
      #expect(code { _ = try make(full.url, .intoEmpty) } == .notEmpty, "\(sql)")
      try full.drop()
    }
    try cluster.psql("DROP ROLE \(role)")
  }

  @Test(arguments: majors) func intoEmptyRemovesWhatItMadeAndNothingElse(major: Int) throws {
    let cluster = try TemporaryCluster.shared(major)
    let database = try cluster.createDatabase()
    try database.psql("CREATE EXTENSION IF NOT EXISTS plpgsql")
    var killed: (any RestoreTarget)? = try make(database.url, .intoEmpty)
    try run(
      """
      CREATE SCHEMA "odd schema"; CREATE TABLE "odd schema".t (a int PRIMARY KEY, b text);
      CREATE TABLE public.u (a int REFERENCES "odd schema".t) ;
      CREATE TYPE public.e AS ENUM ('x'); CREATE TABLE public.v (e public.e, s serial);
      CREATE TYPE public.c AS (a public.e); CREATE DOMAIN public.d AS public.c;
      CREATE FUNCTION public.f(public.e) RETURNS int LANGUAGE sql AS 'SELECT 1';
      CREATE AGGREGATE public.a(int) (SFUNC = int4pl, STYPE = int);
      CREATE VIEW public.w AS SELECT * FROM public.v;
      CREATE MATERIALIZED VIEW public.m AS SELECT * FROM public.w;
      CREATE TABLE public.p (a int) PARTITION BY RANGE (a);
      CREATE TABLE public.p1 PARTITION OF public.p DEFAULT;
      CREATE OPERATOR public.=== (LEFTARG = int, RIGHTARG = int, FUNCTION = int4eq);
      CREATE CAST (public.e AS int) WITH FUNCTION public.f(public.e);
      CREATE COLLATION public.coll FROM "C"; SELECT pg_catalog.lo_create(4711);
      CREATE TEXT SEARCH CONFIGURATION public.ts (COPY = pg_catalog.simple);
      CREATE TYPE public.r AS RANGE (SUBTYPE = int);
      CREATE OPERATOR FAMILY public.fam USING btree;
      CREATE STATISTICS public.st ON a, b FROM "odd schema".t;
      CREATE PUBLICATION pub FOR TABLE public.u;
      CREATE FOREIGN DATA WRAPPER fdw; CREATE SERVER srv FOREIGN DATA WRAPPER fdw;
      CREATE USER MAPPING FOR PUBLIC SERVER srv;
      CREATE FOREIGN TABLE public.ft (a int) SERVER srv;
      """, in: try #require(killed))
    killed = nil
    // Somebody else's table survives, and stops us.
    try database.psql("CREATE TABLE somebody_else (a int)")
    let refused = #expect(throws: LogicalBackupError.self) {
      _ = try make(database.url, .intoEmpty)
    }
    #expect(refused?.code == .notEmpty)
    #expect(refused?.message.contains("table public.somebody_else") == true)
    #expect(try database.psql("SELECT count(*) FROM public.v") == "0")
    try database.psql("DROP TABLE somebody_else; SELECT lo_create(4712)")
    #expect(code { _ = try make(database.url, .intoEmpty) } == .notEmpty)
    try database.psql("SELECT lo_unlink(4712)")
    let next = try make(database.url, .intoEmpty)
    #expect(next.notes.first?.contains("interrupted") == true)
    try next.complete()
    #expect(try database.psql("SELECT count(*) FROM pg_largeobject_metadata") == "0")
    // Now it is as empty as one that was never touched.
    try make(database.url, .intoEmpty).complete()
    let untouched = try cluster.createDatabase()
    #expect(try lines(database.dump()) == lines(untouched.dump()))
    try untouched.drop()
    try database.drop()
  }
}
