import ByteStream
import Gzip
import Postgres
import Synchronization
import TestSupport
import Testing

@testable import LogicalBackup

/// Restores of pgkeep's own files by their index.
@Suite struct LogicalRestorerTests {
  static let majors = [15, 18]
  /// For what does not hang on the server's version.
  static let someMajors = TestScope.isWhole ? majors : [15]

  private func restore(
    _ file: LogicalFileReader, to url: String, cancellation: Cancellation = Cancellation(),
    _ change: (inout RestoreOptions) -> Void = { _ in }
  ) throws -> RestoreReport {
    var options = RestoreOptions()
    options.jobs = 3
    options.verifies = true
    change(&options)
    return try LogicalRestorer(ConnectionTarget(url), options, cancellation: cancellation)
      .restore(file)
  }

  private static func name() -> String { TemporaryCluster.uniqueName("restorer") }

  /// A database and its backup in many small members.
  private func sample(
    _ cluster: TemporaryCluster, more: String = ""
  ) throws -> (source: TemporaryDatabase, file: RestoreFile) {
    let source = try cluster.createDatabase()
    try source.psql(SampleDatabase.sql + more)
    let bytes = try ExportFixture.export(source, ExportFixture.options(memberSize: 8 << 10)).bytes
    return (source, RestoreFile(bytes, "sample.sql.gz"))
  }

  private func count(_ cluster: TemporaryCluster, like name: String) throws -> String {
    try cluster.psql("SELECT count(*) FROM pg_database WHERE starts_with(datname, '\(name)')")
  }

  private func expectSame(_ source: TemporaryDatabase, _ copy: TemporaryDatabase) throws {
    #expect(
      try SampleDatabase.lines(copy.dump(["-s"])) == SampleDatabase.lines(source.dump(["-s"])))
    #expect(try ExportFixture.contents(copy) == ExportFixture.contents(source))
  }

  @Test func aForeignServerIsNotAsked() throws {
    let cluster = try TemporaryCluster.shared()
    let (source, file) = try sample(
      cluster,
      more: """
        CREATE EXTENSION postgres_fdw;
        CREATE SERVER away FOREIGN DATA WRAPPER postgres_fdw
          OPTIONS (host '127.0.0.1', port '1', connect_timeout '2');
        CREATE USER MAPPING FOR PUBLIC SERVER away OPTIONS (user 'nobody');
        CREATE TABLE public.spread (a int) PARTITION BY LIST (a);
        CREATE TABLE public.here PARTITION OF public.spread FOR VALUES IN (1);
        CREATE FOREIGN TABLE public.there PARTITION OF public.spread FOR VALUES IN (2) SERVER away;
        INSERT INTO public.spread VALUES (1), (1), (1);
        """)
    defer { try? source.drop() }
    let copy = TemporaryDatabase(cluster: cluster, name: Self.name())
    defer { try? copy.drop() }
    let report = try restore(file.reader, to: copy.url)
    #expect(report.isVerified)
    #expect(try copy.psql("SELECT reltuples FROM pg_class WHERE relname = 'here'") == "3")
  }

  @Test(arguments: majors, [1, 4]) func comesBackVerified(major: Int, jobs: Int) throws {
    let cluster = try TemporaryCluster.shared(major)
    let (source, file) = try sample(cluster)
    let copy = TemporaryDatabase(cluster: cluster, name: Self.name())
    let seen = Mutex<[RestoreProgress]>([])
    let report = try restore(file.reader, to: copy.url) {
      $0.jobs = jobs
      $0.onProgress = { progress in seen.withLock { $0.append(progress) } }
    }
    try expectSame(source, copy)
    #expect(report.isVerified)
    #expect(report.skipped == [])
    #expect(report.notes == [])
    #expect(report.rows == 1000 + 4 + 1 + 100)
    #expect(report.tables.first { $0.name == "public.orders" }?.rows == 1000)
    #expect(report.largeObjects == 1)
    // Every statement is about the database's own objects.
    #expect(
      try file.reader.readIndex().items.allSatisfy {
        !$0.name.string.contains("information_schema")
      })
    #expect(report.facts?.database == SQLText(source.name))
    #expect(report.phases.map(\.phase) == RestorePhase.allCases.filter { $0 != .rehearsal })
    let last = try #require(seen.withLock { $0.last })
    #expect(last.phase == .completion)
    #expect(last.rows == 1105)
    #expect(seen.withLock { $0.allSatisfy { $0.bytes <= $0.totalBytes ?? .max } })
    #expect(
      try copy.psql(
        "SELECT reltuples FROM pg_class WHERE relname IN ('orders', 'totals') ORDER BY relname")
        == "1000\n4")
    try copy.drop()
    try source.drop()
  }

  @Test(arguments: majors) func theOtherWays(major: Int) throws {
    let cluster = try TemporaryCluster.shared(major)
    let (source, file) = try sample(cluster)
    let copy = try cluster.createDatabase()
    try copy.psql("CREATE TABLE old (a int)")
    let replaced = try restore(file.reader, to: copy.url) { $0.mode = .replace }
    #expect(replaced.notes.contains { $0.contains("\(copy.name)_before_") })
    try expectSame(source, copy)
    let role = Self.name()
    try cluster.psql("CREATE ROLE \(role) LOGIN")
    let empty = try cluster.createDatabase(owner: role)
    let report = try restore(file.reader, to: empty.url(user: role)) {
      $0.mode = .intoEmpty
      $0.omitsOwners = true
    }
    #expect(report.phases.contains { $0.phase == .rehearsal })
    #expect(report.isVerified)
    #expect(
      try SampleDatabase.lines(empty.dump(["-s", "--no-owner"]))
        == SampleDatabase.lines(source.dump(["-s", "--no-owner"])))
    #expect(try ExportFixture.contents(empty) == ExportFixture.contents(source))
    #expect(
      try empty.psql("SELECT count(*) FROM pg_class WHERE relowner = 10 AND oid > 16383") == "0")
    for name in try cluster.psql(
      "SELECT datname FROM pg_database WHERE starts_with(datname, '\(copy.name)')"
    ).split(separator: "\n") { try cluster.psql("DROP DATABASE \"\(name)\"") }
    try empty.drop()
    try source.drop()
    try cluster.psql("DROP ROLE \(role)")
  }

  /// Through a pipe, and without gzip: from the beginning to the end, verified all the same.
  @Test(arguments: someMajors) func withoutRanges(major: Int) throws {
    let cluster = try TemporaryCluster.shared(major)
    let (source, file) = try sample(cluster)
    let plain = RestoreFile(try Command.check("gunzip", ["-c"], input: file.bytes).output, "-")
    for stream in [file, plain] {
      let copy = TemporaryDatabase(cluster: cluster, name: Self.name())
      var options = RestoreOptions()
      options.verifies = true
      let report = try LogicalRestorer(
        ConnectionTarget(copy.url), options, cancellation: Cancellation()
      ).restore(stream.reader.stream(pieceSize: 3000), name: "-")
      #expect(report.isVerified)
      #expect(report.rows == 1105)
      try expectSame(source, copy)
      try copy.drop()
    }
    let cut = RestoreFile(Array(plain.bytes.prefix(plain.bytes.count - 30)), "-")
    let error = #expect(throws: LogicalBackupError.self) {
      _ = try restore(cut.reader, to: cluster.url(Self.name()))
    }
    #expect(error?.code == .truncated)
    try source.drop()
  }

  @Test(arguments: someMajors) func everyKindOfDamageIsNoticed(major: Int) throws {
    let cluster = try TemporaryCluster.shared(major)
    let (source, file) = try sample(cluster)
    let name = Self.name()
    func damaged(_ what: String, _ bytes: [UInt8]) throws {
      #expect(throws: LogicalBackupError.self, "\(what)") {
        _ = try restore(RestoreFile(bytes, "d").reader, to: cluster.url(name)) {
          $0.verifies = false
        }
      }
    }
    let size = file.bytes.count
    for cut in [1, 46, size / 2, size - 100] {
      try damaged("without the last \(cut) bytes", Array(file.bytes.prefix(size - cut)))
    }
    try damaged("appended", file.bytes + [0])
    try damaged("nothing", [])
    for offset in stride(from: 60, to: size - 60, by: size / 16) {
      var bytes = file.bytes
      bytes[offset] ^= 0x04
      // In a header's unused bytes a flip changes nothing that matters; elsewhere it is an error.
      do {
        _ = try restore(RestoreFile(bytes, "d").reader, to: cluster.url(name))
        let copy = TemporaryDatabase(cluster: cluster, name: name)
        try expectSame(source, copy)
        try copy.drop()
      } catch is LogicalBackupError {}
    }
    #expect(try count(cluster, like: name) == "0")
    try source.drop()
  }

  /// Reading fails in the middle: the object is gone, the store does not answer.
  @Test(arguments: someMajors) func aVanishedObjectLeavesNothing(major: Int) throws {
    struct Gone: Error {}
    let cluster = try TemporaryCluster.shared(major)
    let (source, file) = try sample(cluster)
    let name = Self.name()
    for allowed in [0, 3, 6, 12, 20] {
      let reads = Mutex(0)
      let bytes = file.bytes
      let reader = LogicalFileReader(name: "gone", size: bytes.count) { range, body in
        let number = reads.withLock { reads in
          reads += 1
          return reads
        }
        guard number <= allowed else { throw Gone() }
        try bytes[range].withUnsafeBytes(body)
      }
      #expect(throws: Gone.self) { _ = try restore(reader, to: cluster.url(name)) }
      #expect(try count(cluster, like: name) == "0")
    }
    try source.drop()
  }

  @Test(arguments: someMajors) func cancelledAtAnyPhaseLeavesNothing(major: Int) throws {
    let cluster = try TemporaryCluster.shared(major)
    let (source, file) = try sample(cluster)
    let copy = TemporaryDatabase(cluster: cluster, name: Self.name())
    for phase in RestorePhase.allCases where phase != .preparation && phase != .rehearsal {
      let cancellation = Cancellation()
      #expect(throws: (any Error).self) {
        _ = try restore(file.reader, to: copy.url, cancellation: cancellation) {
          $0.onProgress = { if $0.phase == phase { cancellation.cancel(reason: "SIGINT") } }
        }
      }
      #expect(try count(cluster, like: copy.name) == "0", "\(phase)")
    }
    _ = try restore(file.reader, to: copy.url)
    try expectSame(source, copy)
    try copy.drop()
    try source.drop()
  }

  /// A session that ends in the middle of its rows, as by a crash or an administrator: a check
  /// that the backup itself brings ends it while the database has its temporary name.
  @Test(arguments: someMajors) func anEndedSessionEndsTheRestore(major: Int) throws {
    let cluster = try TemporaryCluster.shared(major)
    let (source, file) = try sample(
      cluster,
      more: """
        ;CREATE FUNCTION public.ends() RETURNS bool LANGUAGE sql AS $$
          SELECT CASE WHEN pg_catalog.current_database() ~ '_pgkeep_restoring'
            THEN pg_catalog.pg_terminate_backend(pg_catalog.pg_backend_pid()) ELSE true END $$;
        CREATE TABLE public.ended (a int CHECK (public.ends()));
        INSERT INTO public.ended VALUES (1);
        """)
    let name = Self.name()
    #expect(throws: (any Error).self) { _ = try restore(file.reader, to: cluster.url(name)) }
    #expect(try count(cluster, like: name) == "0")
    try source.drop()
  }

  @Test(arguments: majors) func whatTheServerLacksIsSaidFirst(major: Int) throws {
    let cluster = try TemporaryCluster.shared(major)
    let (role, plain) = (Self.name(), Self.name())
    try cluster.psql("CREATE ROLE \(role); CREATE ROLE \(plain) LOGIN CREATEDB")
    let (source, file) = try sample(
      cluster,
      more: ";ALTER TABLE orders OWNER TO \(role); GRANT SELECT ON customers TO \(role);")
    let name = Self.name()
    // A plain role is not a member of the owner.
    let denied = #expect(throws: LogicalBackupError.self) {
      _ = try restore(file.reader, to: cluster.url(name, user: plain))
    }
    #expect(denied?.code == .statementFailed)
    try source.psql("DROP OWNED BY \(role) CASCADE")
    try cluster.psql("DROP ROLE \(role)")
    let lacking = #expect(throws: LogicalBackupError.self) {
      _ = try restore(file.reader, to: cluster.url(name))
    }
    #expect(lacking?.code == .targetLacks)
    #expect(lacking?.message.contains(role) == true)
    let report = try restore(file.reader, to: cluster.url(name, user: plain)) {
      $0.omitsOwners = true
      $0.omitsPrivileges = true
    }
    #expect(report.isVerified)
    #expect(report.skipped.allSatisfy { $0.contains("left out as asked") })
    #expect(try cluster.psql("SELECT count(*) FROM orders", database: name) == "1000")
    try cluster.psql("DROP DATABASE \(name)")
    try source.drop()
    try cluster.psql("DROP ROLE \(plain)")
  }

  /// Grants by somebody who was given the option stand between `SET ROLE` and `RESET ROLE`.
  @Test(arguments: majors) func withoutPrivilegesNoOtherRoleIsTaken(major: Int) throws {
    let cluster = try TemporaryCluster.shared(major)
    let (granted, last, plain) = (Self.name(), Self.name(), Self.name())
    try cluster.psql(
      "CREATE ROLE \(granted); CREATE ROLE \(last); CREATE ROLE \(plain) LOGIN CREATEDB")
    let (source, file) = try sample(
      cluster,
      more: """
        ;SELECT lo_create(7001);
        GRANT USAGE ON SCHEMA public TO \(granted) WITH GRANT OPTION;
        GRANT SELECT ON orders TO \(granted) WITH GRANT OPTION;
        GRANT UPDATE (id) ON orders TO \(granted) WITH GRANT OPTION;
        GRANT SELECT ON LARGE OBJECT 7001 TO \(granted) WITH GRANT OPTION;
        ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO \(granted);
        SET ROLE \(granted);
        GRANT SELECT ON orders TO \(last); GRANT UPDATE (id) ON orders TO \(last);
        GRANT SELECT ON LARGE OBJECT 7001 TO \(last);
        RESET ROLE;
        """)
    // With them, the copy says who granted what.
    let whole = TemporaryDatabase(cluster: cluster, name: Self.name())
    _ = try restore(file.reader, to: whole.url)
    try expectSame(source, whole)
    // Without them, neither role is needed, nor the right to be one.
    for database in [source, whole] {
      try database.psql("DROP OWNED BY \(last), \(granted) CASCADE")
      try database.drop()
    }
    try cluster.psql("DROP ROLE \(last); DROP ROLE \(granted)")
    let copy = TemporaryDatabase(cluster: cluster, name: Self.name())
    let report = try restore(file.reader, to: cluster.url(copy.name, user: plain)) {
      $0.omitsOwners = true
      $0.omitsPrivileges = true
    }
    #expect(report.isVerified)
    #expect(report.skipped.allSatisfy { $0.contains("left out as asked") })
    let lists = try copy.psql(
      """
      SELECT (SELECT count(*) FROM pg_class WHERE relname = 'orders' AND relacl IS NOT NULL),
        (SELECT count(*) FROM pg_attribute WHERE attrelid = 'orders'::regclass AND attacl IS NOT NULL),
        (SELECT count(*) FROM pg_largeobject_metadata WHERE lomacl IS NOT NULL),
        (SELECT count(*) FROM pg_default_acl),
        (SELECT string_agg(DISTINCT pg_get_userbyid(relowner), ' ') FROM pg_class
          WHERE relname = 'orders')
      """)
    #expect(lists == "0|0|0|0|\(plain)")
    try copy.drop()
    try cluster.psql("DROP ROLE \(plain)")
  }

  /// As on a managed server: the extension is there already and another role's, so is `public`, and
  /// the role can make databases and nothing else.
  @Test(arguments: majors) func aPlainOwnerFindsExtensionsThere(major: Int) throws {
    let cluster = try TemporaryCluster.shared(major)
    let plain = Self.name()
    try cluster.psql("CREATE ROLE \(plain) LOGIN CREATEDB")
    // Not one that an owner of a database may make.
    let (source, file) = try sample(
      cluster,
      more: """
        ;CREATE EXTENSION pageinspect; COMMENT ON EXTENSION pageinspect IS 'pages';
        CREATE EXTENSION citext;
        CREATE TABLE public.uses (a citext PRIMARY KEY); INSERT INTO public.uses VALUES ('x');
        CREATE VIEW public.pages AS
          SELECT lsn::text FROM page_header(get_raw_page('public.uses', 0));
        COMMENT ON SCHEMA public IS 'ours';
        """)
    // Where it is not there, that is told before rows move.
    let missing = #expect(throws: LogicalBackupError.self) {
      _ = try restore(file.reader, to: cluster.url(Self.name(), user: plain)) {
        $0.omitsOwners = true
      }
    }
    #expect(missing?.description.contains("pageinspect") == true, "\(missing as Any)")

    let copy = try cluster.createDatabase(owner: plain)
    try copy.psql("CREATE EXTENSION pageinspect; ALTER SCHEMA public OWNER TO postgres")
    try copy.psql("GRANT CREATE ON SCHEMA public TO \(plain)")
    let report = try restore(file.reader, to: copy.url(user: plain)) {
      $0.mode = .intoEmpty
      $0.omitsOwners = true
    }
    #expect(report.isVerified)
    let reasons = report.skipped.filter { !$0.contains("left out as asked") }
    #expect(reasons.contains { $0.hasPrefix("COMMENT ON EXTENSION pageinspect") })
    #expect(reasons.contains { $0.hasPrefix("COMMENT ON SCHEMA public") })
    #expect(reasons.count == 2, "\(reasons)")
    #expect(try ExportFixture.contents(copy) == ExportFixture.contents(source))
    #expect(
      try copy.psql("SELECT pg_get_userbyid(extowner) FROM pg_extension WHERE extname = 'citext'")
        == plain)
    try copy.drop()
    try source.drop()
    try cluster.psql("DROP ROLE \(plain)")
  }

  /// What only the post-data asks for is found out before any row is loaded.
  @Test(arguments: majors) func aPlainRolesRestoreFailsBeforeRowsMove(major: Int) throws {
    let cluster = try TemporaryCluster.shared(major)
    let plain = Self.name()
    try cluster.psql("CREATE ROLE \(plain) LOGIN CREATEDB")
    let (source, file) = try sample(
      cluster,
      more: """
        ;CREATE FUNCTION public.on_ddl() RETURNS event_trigger LANGUAGE plpgsql
          AS 'BEGIN END';
        CREATE EVENT TRIGGER watch ON ddl_command_end EXECUTE FUNCTION public.on_ddl();
        """)
    let rows = Mutex(0)
    let error = #expect(throws: LogicalBackupError.self) {
      _ = try restore(file.reader, to: cluster.url(Self.name(), user: plain)) {
        $0.omitsOwners = true
        $0.onProgress = { progress in rows.withLock { $0 = progress.rows } }
      }
    }
    #expect(error?.code == .statementFailed)
    #expect(error?.message.contains("watch") == true)
    #expect(error?.message.contains("No rows were loaded") == true)
    #expect(rows.withLock { $0 } == 0)
    try source.drop()
    try cluster.psql("DROP ROLE \(plain)")
  }

  @Test(arguments: someMajors) func schemaOnly(major: Int) throws {
    let cluster = try TemporaryCluster.shared(major)
    let (source, file) = try sample(cluster)
    let copy = TemporaryDatabase(cluster: cluster, name: Self.name())
    let report = try restore(file.reader, to: copy.url) { $0.omitsData = true }
    #expect(report.rows == 0)
    #expect(
      try SampleDatabase.lines(copy.dump(["-s"])) == SampleDatabase.lines(source.dump(["-s"])))
    #expect(try copy.psql("SELECT count(*) FROM orders") == "0")
    try copy.drop()
    try source.drop()
  }

  @Test(arguments: [16, 17, 18]) func fromAnOlderVersion(major: Int) throws {
    let (old, new) = (try TemporaryCluster.shared(15), try TemporaryCluster.shared(major))
    let (source, file) = try sample(old)
    let copy = TemporaryDatabase(cluster: new, name: Self.name())
    #expect(try restore(file.reader, to: copy.url).isVerified)
    #expect(try ExportFixture.contents(copy) == ExportFixture.contents(source))
    for database in [copy, source] { try database.drop() }
  }

  @Test func whatAnOlderVersionDoesNotKnowIsSaidBeforeRowsMove() throws {
    let (old, new) = (try TemporaryCluster.shared(15), try TemporaryCluster.shared(18))
    let (later, laterFile) = try sample(
      new,
      more: """
        ;CREATE TABLE public.booked (room int4range, during int4range,
          PRIMARY KEY (room, during WITHOUT OVERLAPS));
        """)
    let error = #expect(throws: LogicalBackupError.self) {
      _ = try restore(laterFile.reader, to: old.url(Self.name()))
    }
    #expect(error?.code == .statementFailed)
    #expect(error?.message.contains("No rows were loaded") == true)
    try later.drop()
  }
}
