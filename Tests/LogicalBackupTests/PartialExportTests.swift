import ByteStream
import Postgres
import Schema
import TestSupport
import Testing

@testable import LogicalBackup

/// Backups of a part of a database: each with flags that pg_dump has too, whose dump of the source
/// and of what was restored has to be the same text.
@Suite struct PartialExportTests {
  struct Choice: Sendable, CustomTestStringConvertible {
    var arguments: [String]
    var selection: ExportSelection
    /// Whether nothing that is chosen names what is not, so that psql alone restores it.
    var isClosed = true
    var words: [String]
    var testDescription: String { arguments.joined(separator: " ") }

    init(
      _ arguments: String, isClosed: Bool = true, words: [String],
      _ change: (inout ExportSelection) -> Void
    ) {
      self.arguments = arguments.split(separator: " ").map(String.init)
      selection = ExportSelection()
      change(&selection)
      self.isClosed = isClosed
      self.words = words
    }
  }

  private static let choices = [
    Choice("-t app.users", words: ["only tables app.users"]) { $0.filter.tables = ["app.users"] },
    Choice("-t app.u* -t loose", words: ["only tables app.u*, loose"]) {
      $0.filter.tables = ["app.u*", "loose"]
    },
    Choice("-t app.* -T app.log*", words: ["only tables app.*", "without tables app.log*"]) {
      $0.filter.tables = ["app.*"]
      $0.filter.excludedTables = ["app.log*"]
    },
    Choice("-t app.\"Or.ders\"", words: ["only tables app.\"Or.ders\""]) {
      $0.filter.tables = ["app.\"Or.ders\""]
    },
    Choice("-t app.parts*", words: ["only tables app.parts*"]) {
      $0.filter.tables = ["app.parts*"]
    },
    Choice("-t other.log_v -t other.log", words: ["only tables other.log_v, other.log"]) {
      $0.filter.tables = ["other.log_v", "other.log"]
    },
    Choice("-t app.users_id_seq", words: ["only tables app.users_id_seq"]) {
      $0.filter.tables = ["app.users_id_seq"]
    },
    Choice("-t app.users -N app", words: ["only tables app.users"]) {
      $0.filter.tables = ["app.users"]
      $0.filter.excludedSchemas = ["app"]
    },
    Choice("-n other", words: ["only schemas other"]) { $0.filter.schemas = ["other"] },
    Choice("-n ap? -n public", words: ["only schemas ap?, public"]) {
      $0.filter.schemas = ["ap?", "public"]
    },
    Choice(
      "-n app -T app.parts* -T app.users", isClosed: false,
      words: [
        "only schemas app",
        "without tables app.parts*, app.users",
      ]
    ) {
      $0.filter.schemas = ["app"]
      $0.filter.excludedTables = ["app.parts*", "app.users"]
    },
    Choice("-N other", words: ["without schemas other"]) { $0.filter.excludedSchemas = ["other"] },
    Choice("-T other.log_m -T nothing", words: ["without tables other.log_m, nothing"]) {
      $0.filter.excludedTables = ["other.log_m", "nothing"]
    },
    Choice(
      "--exclude-table-data=app.log* --exclude-table-data=other.*",
      words: ["without the rows of app.log*, other.*"]
    ) { $0.filter.excludedTableData = ["app.log*", "other.*"] },
    Choice("-s", words: ["only the schema, no rows"]) { $0.contents = .schema },
    Choice("-s -n app", words: ["only schemas app", "only the schema, no rows"]) {
      $0.filter.schemas = ["app"]
      $0.contents = .schema
    },
    Choice("-O", words: ["without owners"]) { $0.omitsOwners = true },
    Choice("-x", words: ["without privileges"]) { $0.omitsPrivileges = true },
    Choice("-O -x", words: ["without owners", "without privileges"]) {
      $0.omitsOwners = true
      $0.omitsPrivileges = true
    },
    Choice("-n app -O -x", words: ["only schemas app", "without owners", "without privileges"]) {
      $0.filter.schemas = ["app"]
      $0.omitsOwners = true
      $0.omitsPrivileges = true
    },
  ]

  /// Roles belong to the cluster: each test makes its own.
  private static func sql(_ role: String) -> String {
    """
    CREATE ROLE \(role); CREATE SCHEMA app; CREATE SCHEMA other;
    CREATE DOMAIN app.name AS text CHECK (VALUE <> ''); CREATE SEQUENCE app.free START 7;
    CREATE TABLE app.users (id serial PRIMARY KEY, name text NOT NULL, "When" timestamptz);
    CREATE INDEX ON app.users (lower(name)); COMMENT ON COLUMN app.users.name IS 'it''s';
    CREATE STATISTICS app.user_stats ON id, name FROM app.users;
    INSERT INTO app.users (name) SELECT 'u' || i FROM generate_series(1, 20) i;
    CREATE TABLE app.posts (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      author int REFERENCES app.users, free int DEFAULT nextval('app.free'));
    INSERT INTO app.posts (author) SELECT i FROM generate_series(1, 9) i;
    CREATE TABLE app."Or.ders" (id int, note text); INSERT INTO app."Or.ders" VALUES (1, '\\.');
    ALTER TABLE app."Or.ders" OWNER TO \(role); GRANT SELECT (id) ON app."Or.ders" TO PUBLIC;
    CREATE TABLE app.logged (a int); INSERT INTO app.logged VALUES (1), (2);
    CREATE MATERIALIZED VIEW app.log_sum AS SELECT count(*) FROM app.logged;
    CREATE TABLE app.parts (a int, b text, PRIMARY KEY (a)) PARTITION BY RANGE (a);
    CREATE TABLE app.parts_1 PARTITION OF app.parts FOR VALUES FROM (0) TO (10);
    CREATE TABLE app.parts_2 PARTITION OF app.parts DEFAULT;
    INSERT INTO app.parts SELECT i, 'p' FROM generate_series(1, 20) i;
    CREATE FUNCTION app.f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
    CREATE TABLE other.log (t text, owner name DEFAULT current_user);
    CREATE INDEX log_t ON other.log (t); INSERT INTO other.log VALUES ('a'), (NULL);
    ALTER TABLE other.log ENABLE ROW LEVEL SECURITY;
    CREATE POLICY p ON other.log TO \(role) USING (true);
    CREATE RULE quiet AS ON DELETE TO other.log DO INSTEAD NOTHING;
    CREATE VIEW other.log_v AS SELECT t FROM other.log; GRANT SELECT ON other.log_v TO \(role);
    CREATE MATERIALIZED VIEW other.log_m AS SELECT t FROM other.log_v;
    CREATE FUNCTION other.g() RETURNS int LANGUAGE sql AS 'SELECT 1';
    ALTER FUNCTION other.g() OWNER TO \(role); REVOKE ALL ON FUNCTION other.g() FROM PUBLIC;
    CREATE TABLE loose (a int PRIMARY KEY, big oid); CREATE VIEW v AS SELECT a FROM loose;
    CREATE TRIGGER tr AFTER INSERT ON app.logged FOR EACH ROW EXECUTE FUNCTION app.f();
    INSERT INTO loose SELECT i, lo_from_bytea(0, 'lo') FROM generate_series(1, 3) i;
    DO $$ DECLARE o oid; BEGIN FOR o IN SELECT big FROM loose LOOP
      EXECUTE format('ALTER LARGE OBJECT %s OWNER TO \(role)', o);
      EXECUTE format('GRANT SELECT ON LARGE OBJECT %s TO PUBLIC', o); END LOOP; END $$;
    ALTER DEFAULT PRIVILEGES FOR ROLE \(role) IN SCHEMA app GRANT SELECT ON TABLES TO PUBLIC;
    CREATE PUBLICATION pub FOR TABLE app.users; GRANT USAGE ON SCHEMA app TO \(role);
    COMMENT ON SCHEMA other IS 'other things';
    """
  }

  static func withSource(_ major: Int, _ body: (TemporaryDatabase) throws -> Void) throws {
    let cluster = try TemporaryCluster.shared(major)
    let role = TemporaryCluster.uniqueName("part")
    let source = try cluster.createDatabase(named: "whole")
    defer {
      try? source.drop()
      _ = try? cluster.psql("DROP ROLE \(role)")
    }
    try source.psql("SET client_min_messages = error;\n" + sql(role))
    try body(source)
  }

  static func lines(_ dump: String) -> [Substring] {
    dump.split(separator: "\n").filter {
      !$0.hasPrefix("--") && !$0.hasPrefix("\\restrict") && !$0.hasPrefix("\\unrestrict")
    }
  }

  /// What is made, without what it is made of. Extended statistics come with their table, which
  /// pg_dump leaves behind.
  private static func made(_ dump: [Substring]) -> [Substring] {
    dump.filter {
      $0.hasPrefix("CREATE ") && !$0.hasPrefix("CREATE SCHEMA ")
        && !$0.hasPrefix("CREATE STATISTICS ")
    }.sorted()
  }

  static func restore(
    _ bytes: [UInt8], on cluster: TemporaryCluster,
    _ change: (inout RestoreOptions) -> Void = { _ in }
  ) throws -> (TemporaryDatabase, RestoreReport) {
    let copy = TemporaryDatabase(cluster: cluster, name: TemporaryCluster.uniqueName("part"))
    var options = RestoreOptions()
    options.jobs = 2
    options.analyzes = false
    options.verifies = true
    change(&options)
    let report = try LogicalRestorer(
      ConnectionTarget(copy.url), options, cancellation: Cancellation()
    ).restore(RestoreFile(bytes, "part").reader)
    return (copy, report)
  }

  @Test(arguments: [15, 18])
  func `a restored part is what pg_dump calls so`(major: Int) throws {
    try Self.withSource(major) { source in
      for choice in Self.choices {
        var options = ExportFixture.options()
        options.selection = choice.selection
        let (result, bytes) = try ExportFixture.export(source, options)
        #expect(result.facts.isPartial && result.facts.selection == choice.words)
        let (copy, report) = try Self.restore(bytes, on: source.cluster)
        defer { try? copy.drop() }
        #expect(report.notes.contains { $0.contains(choice.words[0]) })
        let expected = Self.lines(try source.dump(choice.arguments))
        let found = Self.lines(try copy.dump(choice.arguments))
        guard choice.isClosed else {
          // What names something that is not there is missing, and said to be.
          #expect(report.skipped.count == 1, "\(choice.arguments): \(report.skipped)")
          #expect(Set(found).isSubset(of: expected), "\(choice.arguments)")
          continue
        }
        #expect(report.skipped.isEmpty, "\(choice.arguments): \(report.skipped)")
        #expect(
          found == expected,
          "\(choice.arguments): \(found.difference(from: expected).prefix(20))")
        #expect(
          Self.made(Self.lines(try copy.dump())) == Self.made(expected),
          "\(choice.arguments): something else was made")
        let byHand = try source.cluster.createDatabase(named: "psql")
        defer { try? byHand.drop() }
        try ExportFixture.restore(bytes, into: byHand)
        #expect(Self.lines(try byHand.dump()) == Self.lines(try copy.dump()), "\(choice.arguments)")
      }
    }
  }

  @Test(arguments: [15, 18])
  func `rows alone fill the tables of another database`(major: Int) throws {
    try Self.withSource(major) { source in
      var options = ExportFixture.options()
      options.selection.contents = .schema
      let schema = try ExportFixture.export(source, options).bytes
      options.selection.contents = .rows
      let (result, rows) = try ExportFixture.export(source, options)
      #expect(result.facts.selection == ["only rows, no schema"])
      #expect(throws: LogicalBackupError.self) { try Self.restore(rows, on: source.cluster) }
      let (copy, _) = try Self.restore(schema, on: source.cluster) { $0.verifies = false }
      defer { try? copy.drop() }
      let filled = try LogicalRestorer(
        ConnectionTarget(copy.url),
        {
          var options = RestoreOptions()
          options.omitsSchema = true
          options.verifies = true
          return options
        }(), cancellation: Cancellation()
      ).restore(RestoreFile(rows, "rows").reader)
      #expect(filled.isVerified)
      #expect(Self.lines(try copy.dump(["-a"])) == Self.lines(try source.dump(["-a"])))

      // And with psql: those that are pointed to come first.
      let byHand = try source.cluster.createDatabase(named: "psql")
      defer { try? byHand.drop() }
      try ExportFixture.restore(schema, into: byHand)
      try ExportFixture.restore(rows, into: byHand)
      #expect(Self.lines(try byHand.dump(["-a"])) == Self.lines(try source.dump(["-a"])))
    }
  }

  @Test func `a part takes no whole database's place unless told to`() throws {
    try Self.withSource(15) { source in
      var options = ExportFixture.options()
      options.selection.filter.tables = ["loose"]
      let (_, bytes) = try ExportFixture.export(source, options)
      let old = try source.cluster.createDatabase(named: "old")
      try old.psql("CREATE TABLE precious (a int)")
      defer { try? old.drop() }
      func replace(accepts: Bool, asPipe: Bool = false) throws {
        var options = RestoreOptions()
        options.mode = .replace
        options.acceptsPartial = accepts
        let restorer = LogicalRestorer(
          try ConnectionTarget(old.url), options, cancellation: Cancellation())
        _ =
          try asPipe
          ? restorer.restore(BytesSource(bytes), name: "pipe")
          : restorer.restore(RestoreFile(bytes, "part").reader)
      }
      for asPipe in [false, true] {
        let error = #expect(throws: LogicalBackupError.self) {
          try replace(accepts: false, asPipe: asPipe)
        }
        #expect(
          error?.code == .invalidRequest && error?.message.contains("only tables loose") == true)
      }
      #expect(try old.psql("SELECT count(*) FROM precious") == "0")
      try replace(accepts: true)
      #expect(try old.psql("SELECT count(*) FROM loose") == "3")
      let kept = try source.cluster.psql(
        "SELECT datname FROM pg_database WHERE datname LIKE '\(old.name)\\_before%'")
      try TemporaryDatabase(
        cluster: source.cluster, name: String(kept.split(separator: "\n")[0])
      ).drop()
    }
  }

  @Test func `what a pattern does not find is an error that names it`() throws {
    try Self.withSource(15) { source in
      for filter in [
        SchemaFilter(tables: ["app.usres"]), SchemaFilter(tables: ["loose", "app.usres"]),
        SchemaFilter(schemas: ["app.usres"]), SchemaFilter(schemas: ["\"app.usres"]),
      ] {
        var options = ExportFixture.options()
        options.selection.filter = filter
        let error = #expect(throws: LogicalBackupError.self) {
          try ExportFixture.export(source, options)
        }
        #expect(error?.code == .invalidRequest && error?.message.contains("app.usres") == true)
      }
    }
  }

  @Test func `tables that are not chosen need no rights, and no lock is waited for without end`()
    throws
  {
    try Self.withSource(15) { source in
      let cluster = source.cluster
      let role = TemporaryCluster.uniqueName("reader")
      try source.psql(
        """
        CREATE ROLE \(role); CREATE ROLE \(role)_login LOGIN IN ROLE \(role) NOINHERIT;
        GRANT USAGE ON SCHEMA app TO \(role); GRANT SELECT ON app.users TO \(role);
        GRANT SELECT ON ALL SEQUENCES IN SCHEMA app TO \(role);
        """)
      defer {
        _ = try? source.psql("DROP OWNED BY \(role)")
        _ = try? cluster.psql("DROP ROLE \(role)_login; DROP ROLE \(role)")
      }
      let holder = try Connection(
        ConnectionTarget(source.url), ConnectionOptions(applicationName: "holder"),
        cancellation: Cancellation())
      defer { holder.close() }
      try holder.run("BEGIN; LOCK TABLE app.posts IN ACCESS EXCLUSIVE MODE")
      var options = ExportFixture.options()
      options.selection.filter.tables = ["app.users"]
      options.snapshot.lockWait = .seconds(1)
      let url = source.url(user: role + "_login")
      #expect(throws: (any Error).self) { try ExportFixture.export(source, options, url: url) }
      options.role = role
      let error = #expect(throws: LogicalBackupError.self) {
        try ExportFixture.export(source, options, url: url)
      }
      #expect(error?.code == .lockNotObtained)
      #expect(error?.object == "app.posts")
      #expect(error?.message.contains("application holder") == true, "\(error as Any)")
      try holder.run("ROLLBACK")
      let (result, _) = try ExportFixture.export(source, options, url: url)
      #expect(result.tables.map(\.sum.rows) == [20])
    }
  }
}
