import ByteStream
import Postgres
import TestSupport
import Testing

@testable import LogicalBackup

@Suite struct LogicalExporterTests {
  /// Rows with every byte that COPY escapes, types that settings change the look of, tables with
  /// columns that are generated, dropped or absent.
  static let schema = """
    CREATE SCHEMA "odd ""schema";
    CREATE TYPE mood AS ENUM ('sad', 'it''s \\ok');
    CREATE TABLE nasty (id int PRIMARY KEY, t text, b bytea, a text[], j jsonb);
    INSERT INTO nasty SELECT i, 'x' || chr(i) || E'\\\\.\\n\\\\N\\t\\r' || repeat(chr(i), 3),
      decode(repeat(lpad(to_hex(i), 2, '0'), 7), 'hex'), ARRAY[chr(i), NULL, 'NULL', ''],
      jsonb_build_object('k', chr(i)) FROM generate_series(1, 255) i;
    INSERT INTO nasty VALUES (0, '\\.', '', '{}', NULL), (-1, '', NULL, NULL, 'null');
    CREATE TABLE looks (f float8, f4 float4, d date, ts timestamptz, i interval, m money,
      n numeric, e mood);
    INSERT INTO looks VALUES (0.1 + 0.2, 1e-30, '0044-03-15 BC', '2026-03-29 01:30:00+00',
      '-1 year 2 days -00:00:01', 12.34, 'NaN', 'it''s \\ok'),
      ('Infinity', '-0', 'infinity', '-infinity', '1 mon', -5, 1e100, 'sad');
    CREATE TABLE "odd ""schema"."Ta\nble\\." ("select" int, dropped text, "a b" text,
      g int GENERATED ALWAYS AS ("select" * 2) STORED, last text DEFAULT 'd');
    ALTER TABLE "odd ""schema"."Ta\nble\\." DROP COLUMN dropped;
    INSERT INTO "odd ""schema"."Ta\nble\\." ("select", "a b") SELECT i, 'r' || i
      FROM generate_series(1, 1000) i;
    CREATE TABLE hollow (); INSERT INTO hollow SELECT FROM generate_series(1, 3);
    CREATE TABLE only_generated (g int GENERATED ALWAYS AS (1) STORED);
    INSERT INTO only_generated SELECT FROM generate_series(1, 4);
    CREATE TABLE nothing (a int);
    CREATE TABLE parent (a int); CREATE TABLE child (b int) INHERITS (parent);
    INSERT INTO parent VALUES (1); INSERT INTO child VALUES (2, 3);
    CREATE TABLE parted (a int, b text) PARTITION BY RANGE (a);
    CREATE TABLE p1 PARTITION OF parted FOR VALUES FROM (0) TO (10);
    CREATE TABLE p2 (b text, a int); ALTER TABLE parted ATTACH PARTITION p2 DEFAULT;
    INSERT INTO parted SELECT i, 'p' || i FROM generate_series(1, 20) i;
    CREATE TABLE serials (id serial PRIMARY KEY, other int REFERENCES nasty);
    INSERT INTO serials (other) SELECT 5 FROM generate_series(1, 41);
    CREATE SEQUENCE unused; CREATE SEQUENCE far AS bigint START 100 INCREMENT -7 MINVALUE -1000 MAXVALUE 100;
    SELECT nextval('far'), nextval('far');
    CREATE INDEX ON nasty (t); CREATE VIEW v AS SELECT id FROM nasty;
    CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';
    CREATE MATERIALIZED VIEW mv AS SELECT count(*) FROM serials;
    """

  private func withSource(
    _ schema: String = schema, major: Int = 15, _ body: (TemporaryDatabase) throws -> Void
  ) throws {
    let database = try TemporaryCluster.shared(major).createDatabase(named: "source")
    defer { try? database.drop() }
    try database.psql(schema)
    try body(database)
  }

  private func withRestored(
    _ bytes: [UInt8], on cluster: TemporaryCluster, encoding: String? = nil,
    _ body: (TemporaryDatabase) throws -> Void
  ) throws {
    let database = try cluster.createDatabase(named: "restored", encoding: encoding)
    defer { try? database.drop() }
    try ExportFixture.restore(bytes, into: database)
    try body(database)
  }

  /// What an extension says of its tables' rows stands in its catalog row, where anything can be
  /// put without an extension of our own.
  @Test(arguments: [15, 18])
  func `an extension's configuration tables are read as their conditions say`(major: Int) throws {
    let sql = """
      CREATE EXTENSION citext;
      CREATE TABLE own (a int, kept bool); INSERT INTO own SELECT i, i % 2 = 0
        FROM generate_series(1, 10) i;
      CREATE TABLE whole (a int); INSERT INTO whole VALUES (1), (2), (3);
      CREATE TABLE quiet (a int); INSERT INTO quiet VALUES (1);
      ALTER EXTENSION citext ADD TABLE own; ALTER EXTENSION citext ADD TABLE whole;
      ALTER EXTENSION citext ADD TABLE quiet;
      UPDATE pg_extension SET extconfig = ARRAY['own'::regclass::oid, 'whole'::regclass],
        extcondition = ARRAY['WHERE kept AND a > 2', ''] WHERE extname = 'citext';
      """
    try withSource(sql, major: major) { source in
      let (result, bytes) = try ExportFixture.export(source)
      #expect(
        result.tables.map { "\($0.qualifiedName) \($0.sum.rows)" }.sorted()
          == ["public.own 4", "public.whole 3"])
      #expect(
        result.tables.first { $0.name == "own" }?.condition == "WHERE kept AND a > 2")
      let text = try Command.check("gunzip", ["-c"], input: bytes).text
      #expect(!text.contains("CREATE TABLE"))
      let rows = try source.dump(["-a"]).split(separator: "\n").filter {
        $0.first?.isNumber == true
      }
      #expect(rows.count == 7)
      for row in rows { #expect(text.contains("\n\(row)\n")) }
    }
  }

  @Test("gunzip and psql restore what was exported", arguments: TemporaryCluster.installedMajors)
  func plainRestore(major: Int) throws {
    try withSource(major: major) { source in
      let (result, bytes) = try ExportFixture.export(source)
      #expect(result.size == bytes.count)
      try withRestored(bytes, on: source.cluster) { restored in
        #expect(try ExportFixture.contents(restored) == ExportFixture.contents(source))
        let sequences = "SELECT last_value, is_called FROM"
        for name in ["unused", "far", "serials_id_seq"] {
          #expect(
            try restored.psql("\(sequences) \(name)") == source.psql("\(sequences) \(name)"))
        }
        let again = try TableVerifier(
          ConnectionTarget(restored.url), jobs: 2, cancellation: Cancellation())
        #expect(try again.mismatches(result.tables).isEmpty)
        #expect(try restored.psql("SELECT count FROM mv").hasPrefix("41"))
      }
    }
  }

  @Test("The index tells every table's rows, and each member is what it says")
  func index() throws {
    try withSource { source in
      let (result, bytes) = try ExportFixture.export(
        source, ExportFixture.options(jobs: 3, memberSize: 4096))
      let reader = LogicalFileFixture.reader(bytes)
      let index = try reader.readIndex()
      #expect(index.facts == result.facts && index.tables == result.tables)
      #expect(index.offset == result.indexOffset)
      let rows = Dictionary(
        uniqueKeysWithValues: index.tables.map { ($0.name.string, $0.sum.rows) })
      #expect(rows["nasty"] == 257 && rows["Ta\nble\\."] == 1000 && rows["nothing"] == 0)
      #expect(rows["hollow"] == 3 && rows["only_generated"] == 4 && rows["parent"] == 1)
      #expect(rows["p1"] == 9 && rows["p2"] == 11 && rows["parted"] == nil)
      #expect(index.totals.sequences == 3)
      let members = MemberReader(reader)
      let text = Block(capacity: 100)
      try index.forEachMember { member in
        try members.read(member, into: text)
        guard let table = member.table else { return }
        _ = try members.rows(of: member, index.tables[table - 1], in: text)
      }
      #expect(index.items.contains { $0.kind == "INDEX" })
      for item in index.items {
        let member = try #require(
          try index.members(.postData).first { $0.offset == item.member })
        try members.read(member, into: text)
        // An index that a constraint brings along has a place in the order, and no statement.
        guard item.length > 0 else { continue }
        let sql = String(decoding: text.bytes[item.start..<item.start + item.length], as: UTF8.self)
        #expect(sql.contains(item.kind) && sql.hasSuffix(";\n\n"), "\(sql)")
      }
    }
  }

  @Test("No setting of a role changes what is exported")
  func hostileRole() throws {
    let cluster = try TemporaryCluster(15)
    let source = try cluster.createDatabase()
    try source.psql(Self.schema)
    let restored = try cluster.createDatabase()
    let (plain, plainBytes) = try ExportFixture.export(source, ExportFixture.options(jobs: 1))
    try source.psql(
      SessionProfileHostility.settings.map { "ALTER ROLE postgres SET \($0.name) = \($0.value);" }
        .joined(separator: "\n"))
    // Longer than the hostile timers: the transaction is idle meanwhile.
    var hooks = SnapshotHooks()
    hooks.afterReading = { try JobPause.milliseconds(2300) }
    let (hostile, bytes) = try ExportFixture.export(source, hooks: hooks)
    #expect(hostile.tables == plain.tables)
    let reader = LogicalFileFixture.reader(bytes)
    func lengths(_ reader: LogicalFileReader) throws -> [Int] {
      try reader.readIndex().members(.preData).map(\.textLength)
    }
    #expect(try lengths(reader) == lengths(LogicalFileFixture.reader(plainBytes)))
    // psql connects as the same hostile role; the file's own settings win.
    let sql = try Command.check("gunzip", ["-c"], input: bytes).output
    _ = try cluster.check(
      "psql", ["-qXo", "/dev/null", "-v", "ON_ERROR_STOP=1", "-d", restored.name], input: sql)
    let verifier = TableVerifier(
      try ConnectionTarget(restored.url), jobs: 2, cancellation: Cancellation())
    #expect(try verifier.mismatches(plain.tables).isEmpty)
  }

  @Test("A database whose text is not UTF-8 keeps its bytes", arguments: ["LATIN1", "SQL_ASCII"])
  func encodings(encoding: String) throws {
    let cluster = try TemporaryCluster.shared()
    let source = try cluster.createDatabase(encoding: encoding)
    defer { try? source.drop() }
    try source.psql(
      """
      SET client_encoding = '\(encoding)';
      CREATE TABLE t (a text);
      INSERT INTO t SELECT convert_from(decode('636166e9', 'hex'), '\(encoding)');
      DO $$ BEGIN EXECUTE 'CREATE TABLE "' || (SELECT a FROM t) || '" (x int, "' || (SELECT a FROM t) || '" int)';
        EXECUTE 'INSERT INTO "' || (SELECT a FROM t) || '" VALUES (1, 2)'; END $$;
      """)
    let (result, bytes) = try ExportFixture.export(source)
    #expect(result.tables.contains { $0.name == LogicalFileFixture.latinName })
    let restored = try cluster.createDatabase(encoding: encoding)
    defer { try? restored.drop() }
    try ExportFixture.restore(bytes, into: restored)
    #expect(
      try restored.psql("SELECT encode(a::bytea, 'hex') FROM t").hasPrefix("636166e9"))
    #expect(try ExportFixture.export(restored).result.tables.map(\.sum) == result.tables.map(\.sum))
    #expect(try LogicalFileFixture.reader(bytes).readIndex().tables == result.tables)
  }

  @Test("Large objects come back with contents, owner, rights and comment")
  func largeObjects() throws {
    let role = TemporaryCluster.uniqueName("keeper")
    try withSource(
      """
      CREATE ROLE \(role);
      SELECT lo_from_bytea(i, decode(repeat(to_hex(16 + i % 200), i), 'hex'))
        FROM generate_series(1000, 3500) i;
      SELECT lo_from_bytea(70000, convert_to(repeat('0123456789abcdef', 50000), 'UTF8'));
      SELECT lo_create(70001); SELECT lo_create(70002);
      SELECT lo_put(70002, 1000000, 'end');
      SELECT lo_from_bytea(4000000000, 'far');
      ALTER LARGE OBJECT 70000 OWNER TO \(role);
      GRANT SELECT ON LARGE OBJECT 70000, 1000 TO PUBLIC;
      GRANT UPDATE ON LARGE OBJECT 1000 TO \(role) WITH GRANT OPTION;
      SET ROLE \(role); GRANT UPDATE ON LARGE OBJECT 1000 TO pg_monitor; RESET ROLE;
      COMMENT ON LARGE OBJECT 70001 IS 'it''s \\ empty';
      """
    ) { source in
      defer {
        _ = try? source.psql("DROP OWNED BY \(role); DROP ROLE \(role)")
      }
      let (result, bytes) = try ExportFixture.export(source)
      #expect(result.totals.largeObjects == 2505)
      let database = try source.cluster.createDatabase(named: "restored")
      try ExportFixture.restore(bytes, into: database)
      let query = """
        SELECT oid, pg_get_userbyid(lomowner), (SELECT array_agg(a ORDER BY a::text)
            FROM aclexplode(lomacl) a), md5(lo_get(oid)), obj_description(oid, 'pg_largeobject')
        FROM pg_largeobject_metadata ORDER BY oid
        """
      #expect(try database.psql(query) == source.psql(query))
      try database.drop()
    }
  }

  @Test("Rows larger than a member, and a table in many ranges, come back")
  func largeRows() throws {
    try withSource(
      """
      CREATE TABLE wide (id int, t text, b bytea);
      INSERT INTO wide VALUES (1, repeat(E'a\\\\b\n', 5000000), NULL),
        (2, 'small', decode(repeat('00ff', 4000000), 'hex')), (3, NULL, NULL);
      CREATE TABLE spread (id int, t text);
      ALTER TABLE spread ALTER t SET STORAGE EXTERNAL;
      INSERT INTO spread SELECT i, repeat(chr(97 + i % 26), 100000) FROM generate_series(1, 2000) i;
      """
    ) { source in
      let (result, bytes) = try ExportFixture.export(source, ExportFixture.options(jobs: 3))
      let index = try LogicalFileFixture.reader(bytes).readIndex()
      #expect(index.tables.map(\.sum.rows) == [2000, 3])
      #expect(try index.members(.data).contains { $0.textLength > 20_000_000 })
      // About 200 MB of TOAST are four ranges; each ends in a member of its own.
      #expect(try index.members(.data).filter { $0.table == 1 && $0.rows < 42 }.count >= 3)
      try withRestored(bytes, on: source.cluster) { restored in
        let again = TableVerifier(
          try ConnectionTarget(restored.url), jobs: 2, cancellation: Cancellation())
        let mismatches = try again.mismatches(result.tables)
        #expect(mismatches.isEmpty)
        let sums = "SELECT id, md5(t), md5(b) FROM wide ORDER BY id"
        let (copy, original) = (try restored.psql(sums), try source.psql(sums))
        #expect(copy == original)
      }
    }
  }

  @Test("A queued ACCESS EXCLUSIVE neither stops the backup nor deadlocks with it")
  func queuedLock() throws {
    try withSource { source in
      let waiter = try Connection(
        ConnectionTarget(source.url), ConnectionOptions(applicationName: "migration"),
        cancellation: Cancellation())
      let group = ThreadGroup(following: Cancellation())
      let shared = Monitor(waiter)
      var hooks = SnapshotHooks()
      hooks.afterReading = {
        group.start("migration") {
          try shared.update { try $0.run("ALTER TABLE public.nasty ADD late int") }
        }
        while try source.psql(
          "SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND NOT granted"
        ).hasPrefix("0") { try JobPause.milliseconds(20) }
      }
      let (result, _) = try ExportFixture.export(source, hooks: hooks)
      try group.join()
      #expect(result.tables.first { $0.name == "nasty" }?.sum.rows == 257)
    }
  }

  @Test("A schema that changes while it is read is read again")
  func changedSchema() throws {
    try withSource { source in
      let first = Once()
      var hooks = SnapshotHooks()
      hooks.afterReading = {
        guard first.take() else { return }
        try source.psql(
          "CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 2'")
      }
      let (_, bytes) = try ExportFixture.export(source, hooks: hooks)
      try withRestored(bytes, on: source.cluster) { restored in
        let value = try restored.psql("SELECT f()")
        #expect(value.hasPrefix("2"))
      }
      hooks.afterReading = {
        try source.psql(
          "CREATE FUNCTION \(TemporaryCluster.uniqueName("f"))() RETURNS int "
            + "LANGUAGE sql AS 'SELECT 1'")
      }
      var options = ExportFixture.options()
      options.snapshot.rounds = 2
      let code = LogicalFileFixture.code {
        _ = try ExportFixture.export(source, options, hooks: hooks)
      }
      #expect(code == .schemaChanged)
    }
  }

  @Test("By itself, a backup takes few connections where few are free")
  func jobs() throws {
    var facts = ServerFacts(isStandby: false, now: "", freeConnections: 90)
    #expect(LogicalExporter.defaultJobs(facts, cores: 1) == 2)
    #expect(LogicalExporter.defaultJobs(facts, cores: 16) == 4)
    facts.freeConnections = 5
    #expect(LogicalExporter.defaultJobs(facts, cores: 2) == 2)
    facts.freeConnections = -1
    #expect(LogicalExporter.defaultJobs(facts, cores: 2) == 1)
  }

  @Test("Limits of role and database count, and a backup comes along with them")
  func fewConnections() throws {
    let cluster = try TemporaryCluster.shared()
    let role = TemporaryCluster.uniqueName("few")
    try cluster.psql("CREATE ROLE \(role) LOGIN")
    let database = try cluster.createDatabase(owner: role)
    defer {
      try? database.drop()
      _ = try? cluster.psql("DROP ROLE \(role)")
    }
    func free() throws -> Int {
      let connection = try Connection(
        ConnectionTarget(database.url(user: role)), ConnectionOptions(applicationName: "test"),
        cancellation: Cancellation())
      defer { connection.close() }
      return try ServerFacts.read(connection).freeConnections
    }
    #expect(try free() > 10)
    try cluster.psql("ALTER ROLE \(role) CONNECTION LIMIT 8")
    // Its own is one of the eight; one that has just ended may still be counted.
    #expect((6...7).contains(try free()))
    try cluster.psql("ALTER DATABASE \"\(database.name)\" CONNECTION LIMIT 3")
    #expect((1...2).contains(try free()))
    try database.psql("CREATE TABLE t AS SELECT 1 AS a", user: role)
    var options = ExportFixture.options()
    options.jobs = nil
    let result = try ExportFixture.export(database, options, url: database.url(user: role)).result
    #expect(result.tables.map(\.sum.rows) == [1])
  }
}
