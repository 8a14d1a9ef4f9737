import ByteStream
import Foundation
import LogicalBackup
import Postgres
import TestSupport
import Testing

@Suite struct ScriptRestoreTests {
  static let majors = [15, 18]
  /// For what does not hang on the server's version.
  static let someMajors = TestScope.isWhole ? majors : [15]

  private func restore(
    _ file: RestoreFile, to url: String, cancellation: Cancellation = Cancellation(),
    _ change: (inout RestoreOptions) -> Void = { _ in }
  ) throws -> RestoreReport {
    var options = RestoreOptions()
    options.jobs = 2
    change(&options)
    return try LogicalRestorer(ConnectionTarget(url), options, cancellation: cancellation)
      .restore(file.reader)
  }

  private func failure(_ body: () throws -> Void) -> LogicalBackupError? {
    #expect(throws: LogicalBackupError.self) { try body() }
  }

  private static func name() -> String { TemporaryCluster.uniqueName("script") }

  @Test(arguments: majors, ["plain", "gzip", "inserts"])
  func pgDumpsComeBackAsTheyWere(major: Int, form: String) throws {
    let cluster = try TemporaryCluster.shared(major)
    let source = try cluster.createDatabase()
    try source.psql(SampleDatabase.sql)
    let plain = try source.dump(form == "inserts" ? ["--inserts"] : [])
    let file = RestoreFile(Array(plain.utf8), "dump.sql")
    let name = Self.name()
    let report = try restore(form == "gzip" ? try file.gzipped() : file, to: cluster.url(name))
    let copy = TemporaryDatabase(cluster: cluster, name: name)
    #expect(try SampleDatabase.lines(copy.dump()) == SampleDatabase.lines(source.dump()))
    if form != "inserts" {
      #expect(report.tables.first { $0.name == "public.orders" }?.rows == 1000)
      #expect(report.rows == 1000 + 4 + 1 + 100)
    }
    #expect(report.skipped == [])
    #expect(report.phases.map(\.phase) == [.preparation, .data, .analyze, .completion])
    #expect(
      try copy.psql("SELECT reltuples FROM pg_class WHERE relname = 'orders'") == "1000")
    try copy.drop()
    try source.drop()
  }

  @Test(arguments: someMajors) func throughAPipeWithoutRanges(major: Int) throws {
    let cluster = try TemporaryCluster.shared(major)
    let source = try cluster.createDatabase()
    try source.psql(SampleDatabase.sql)
    let name = Self.name()
    let file = try RestoreFile(Array(source.dump().utf8), "-").gzipped()
    _ = try LogicalRestorer(
      ConnectionTarget(cluster.url(name)), RestoreOptions(), cancellation: Cancellation()
    ).restore(file.reader.stream(pieceSize: 1000), name: "standard input")
    let copy = TemporaryDatabase(cluster: cluster, name: name)
    #expect(try SampleDatabase.lines(copy.dump()) == SampleDatabase.lines(source.dump()))
    try copy.drop()
    try source.drop()
  }

  @Test(arguments: someMajors) func psqlCommandsAreRefusedAndNothingStays(major: Int) throws {
    let cluster = try TemporaryCluster.shared(major)
    let source = try cluster.createDatabase()
    try source.psql(SampleDatabase.sql)
    let name = Self.name()
    let dump = try source.dump()
    for (text, line, words) in [
      (
        "CREATE TABLE public.a (a int);\n\\connect postgres\nCREATE TABLE public.b (a int);\n", 2,
        "\\connect"
      ),
      ("CREATE TABLE public.a (a int);\n  \\! touch /tmp/never\n", 2, "\\!"),
      ("SELECT 1 \\gexec\n", 1, "\\gexec"), ("\\i other.sql\n", 1, "\\i"),
      ("\\restrict a b\n", 1, "\\restrict"), ("\\restrict a\\!\n", 1, "\\restrict"),
      ("SELECT 1 \\restrict a\n", 1, "\\restrict"),
      ("SET a = 1;\n\nCREATE DATABASE other;\n", 3, "CREATE DATABASE"),
      ("SELECT 1; DROP DATABASE postgres;", 1, "DROP DATABASE"),
      ("ALTER ROLE postgres PASSWORD 'x';", 1, "ALTER ROLE"),
      ("ALTER SYSTEM SET work_mem = '1GB';", 1, "ALTER SYSTEM"),
      ("SET client_encoding = 'SJIS';", 1, "SJIS"),
      (try source.dump(["--create"]), 0, "CREATE DATABASE"),
      (try cluster.check("pg_dumpall", ["--globals-only"]).text, 0, "is not executed"),
      (dump.replacing("CREATE TABLE", with: "\\c x\nCREATE TABLE"), 0, "\\c"),
    ] {
      let error = failure {
        _ = try restore(.init(Array(text.utf8), "f.sql"), to: cluster.url(name))
      }
      #expect(error?.message.contains(words) == true, "\(words)")
      #expect(error?.message.contains(line > 0 ? "f.sql, line \(line)," : "f.sql, line ") == true)
    }
    #expect(
      try cluster.psql("SELECT count(*) FROM pg_database WHERE datname ~ '^\(name)'") == "0")
    // The guards that pg_dump writes are passed over.
    let guarded = "\\restrict Ab3\nCREATE TABLE public.a (a int);\n\\unrestrict Ab3\n"
    _ = try restore(.init(Array(guarded.utf8), "f.sql"), to: cluster.url(name))
    #expect(try cluster.psql("SELECT count(*) FROM a", database: name) == "0")
    try cluster.psql("DROP DATABASE \(name)")
    try source.drop()
  }

  @Test(arguments: someMajors) func archivesAndEncryptedFilesAreNamed(major: Int) throws {
    let cluster = try TemporaryCluster.shared(major)
    let source = try cluster.createDatabase()
    try source.psql("CREATE TABLE t (a int)")
    for format in ["custom", "tar"] {
      let bytes = try cluster.check("pg_dump", ["-F", format, "-d", source.name]).output
      let error = failure { _ = try restore(.init(bytes, "d"), to: cluster.url(Self.name())) }
      #expect(error?.code == .notABackup)
      #expect(error?.message.contains("pg_restore") == true)
    }
    let age = Array("age-encryption.org/v1\n-> X25519 x\n".utf8)
    let error = failure { _ = try restore(.init(age, "d"), to: cluster.url(Self.name())) }
    #expect(error?.code == .notABackup)
    try source.drop()
  }

  @Test(arguments: someMajors) func damagedDumpsLeaveNothing(major: Int) throws {
    let cluster = try TemporaryCluster.shared(major)
    let source = try cluster.createDatabase()
    try source.psql(SampleDatabase.sql)
    let dump = Array(try source.dump().utf8)
    let text = String(decoding: dump, as: UTF8.self)
    let name = Self.name()
    let inRows = try #require(text.range(of: "customer 500")).lowerBound
    let inStatement = try #require(text.range(of: "ADD CONSTRAINT")).upperBound
    let atStatement = try #require(text.range(of: "ALTER TABLE ONLY public.orders\n")).lowerBound
    for cut in [inRows, inStatement, atStatement] {
      let part = Array(text[..<cut].utf8)
      let error = failure { _ = try restore(.init(part, "cut.sql"), to: cluster.url(name)) }
      #expect(error?.code == .truncated)
    }
    let whole = try RestoreFile(dump, "dump.sql.gz").gzipped()
    let halves = RestoreFile(Array(whole.bytes.prefix(whole.bytes.count / 2)), "dump.sql.gz")
    #expect(throws: (any Error).self) { _ = try restore(halves, to: cluster.url(name)) }
    for offset in stride(from: 400, to: whole.bytes.count - 8, by: whole.bytes.count / 12) {
      var bytes = whole.bytes
      bytes[offset] ^= 0x10
      #expect(throws: (any Error).self, "byte \(offset)") {
        _ = try restore(.init(bytes, "dump.sql.gz"), to: cluster.url(name))
      }
    }
    #expect(
      try cluster.psql("SELECT count(*) FROM pg_database WHERE datname ~ '^\(name)'") == "0")
    // The same once more with the whole file succeeds.
    _ = try restore(whole, to: cluster.url(name))
    try cluster.psql("DROP DATABASE \(name)")
    try source.drop()
  }

  @Test(arguments: someMajors) func anErrorSaysWhere(major: Int) throws {
    let cluster = try TemporaryCluster.shared(major)
    let sql = """
      CREATE TABLE public.t (a int);
      -- é
      CREATE VIEW public.v AS
        SELECT 'é', nope FROM public.t;
      """
    let error = failure {
      _ = try restore(.init(Array(sql.utf8), "f.sql"), to: cluster.url(Self.name()))
    }
    #expect(error?.code == .statementFailed)
    #expect(error?.message.contains("f.sql, line 4, column 15") == true)
    #expect(error?.description.contains("42703") == true)
    let rows = "CREATE TABLE public.t (a int);\nCOPY public.t FROM stdin;\n1\nx\n\\.\n"
    let bad = failure {
      _ = try restore(.init(Array(rows.utf8), "f.sql"), to: cluster.url(Self.name()))
    }
    #expect(bad?.code == .statementFailed)
    #expect(bad?.description.contains("line 2, column 1") == true)
    #expect(bad?.description.contains("COPY t, line 2, column a") == true)
  }

  @Test(arguments: majors) func aPlainOwnerGetsAllButWhatWasThere(major: Int) throws {
    let cluster = try TemporaryCluster.shared(major)
    let (role, other) = (Self.name(), Self.name())
    try cluster.psql("CREATE ROLE \(role) LOGIN CREATEDB; CREATE ROLE \(other)")
    let source = try cluster.createDatabase()
    let hasExtension =
      try cluster.psql("SELECT count(*) FROM pg_available_extensions WHERE name = 'pg_trgm'") == "1"
    try source.psql(SampleDatabase.sql)
    try source.psql(
      "COMMENT ON SCHEMA public IS 'ours'"
        + (hasExtension ? "; CREATE EXTENSION pg_trgm" : ""))
    // Owners are to be the restoring role, as on a managed server that has no others.
    let dump = try source.dump(["--no-owner"])
    let target = try cluster.createDatabase(owner: role)
    // Preinstalled by the server's superuser.
    if hasExtension { try target.psql("CREATE EXTENSION pg_trgm") }
    try target.psql("ALTER SCHEMA public OWNER TO \(other); GRANT ALL ON SCHEMA public TO \(role)")
    let text =
      dump + "\nALTER SCHEMA public OWNER TO postgres;\nCOMMENT ON EXTENSION plpgsql IS 'ours';\n"
    let report = try restore(
      .init(Array(text.utf8), "dump.sql"), to: target.url(user: role)
    ) {
      $0.mode = .intoEmpty
    }
    #expect(report.skipped.contains { $0.contains("COMMENT ON EXTENSION plpgsql") })
    #expect(report.skipped.contains { $0.contains("COMMENT ON SCHEMA public") })
    #expect(report.skipped.contains { $0.contains("ALTER SCHEMA public OWNER") })
    #expect(
      report.skipped.contains { $0.contains("COMMENT ON EXTENSION pg_trgm") } == hasExtension)
    #expect(report.skipped.count == (hasExtension ? 4 : 3))
    #expect(try target.psql("SELECT count(*) FROM orders") == "1000")
    // What loses something is an error: an object that should belong to another.
    let owned = "CREATE TABLE public.t (a int);\nALTER TABLE public.t OWNER TO \(other);\n"
    let name = Self.name()
    let error = failure {
      _ = try restore(.init(Array(owned.utf8), "f.sql"), to: cluster.url(name, user: role))
    }
    #expect(error?.message.contains("line 2") == true)
    let without = try restore(.init(Array(owned.utf8), "f.sql"), to: cluster.url(name, user: role))
    {
      $0.omitsOwners = true
    }
    #expect(without.skipped.count == 1)
    for database in [name, target.name, source.name] {
      try cluster.psql("DROP DATABASE \(database)")
    }
    try cluster.psql("DROP ROLE \(role); DROP ROLE \(other)")
  }

  @Test(arguments: majors) func partsAreLeftOutAsAsked(major: Int) throws {
    let cluster = try TemporaryCluster.shared(major)
    let role = Self.name()
    try cluster.psql("CREATE ROLE \(role)")
    let source = try cluster.createDatabase()
    try source.psql(SampleDatabase.sql)
    try source.psql(
      """
      ALTER TABLE orders OWNER TO \(role); GRANT SELECT ON customers TO \(role);
      ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO \(role);
      """)
    let file = RestoreFile(Array(try source.dump().utf8), "dump.sql")
    let name = Self.name()
    let report = try restore(file, to: cluster.url(name)) {
      $0.omitsOwners = true
      $0.omitsPrivileges = true
      $0.omitsData = true
    }
    #expect(report.rows == 0)
    let copy = TemporaryDatabase(cluster: cluster, name: name)
    let expected = try source.dump(["--no-owner", "--no-privileges", "--schema-only"])
    #expect(
      try SampleDatabase.lines(copy.dump(["--no-owner", "--no-privileges", "--schema-only"]))
        == SampleDatabase.lines(expected))
    #expect(try copy.psql("SELECT count(*) FROM pg_class WHERE relowner <> 10") == "0")
    #expect(try copy.psql("SELECT count(*) FROM pg_default_acl") == "0")
    #expect(try copy.psql("SELECT count(*) FROM orders") == "0")
    for database in [name, source.name] { try cluster.psql("DROP DATABASE \(database)") }
    try cluster.psql("DROP ROLE \(role)")
  }

  @Test func aDumpOfANewerServerSaysWhatItCannotDo() throws {
    let newer = try TemporaryCluster.shared(18)
    let older = try TemporaryCluster.shared(15)
    let source = try newer.createDatabase()
    try source.psql("CREATE TABLE t (a int); INSERT INTO t SELECT generate_series(1, 10)")
    let name = Self.name()
    let report = try restore(.init(Array(source.dump().utf8), "new.sql"), to: older.url(name))
    #expect(report.skipped.contains { $0.contains("transaction_timeout") })
    #expect(try older.psql("SELECT count(*) FROM t", database: name) == "10")
    try older.psql("DROP DATABASE \(name)")
    try source.drop()
  }

  @Test(arguments: someMajors) func aCancelledRestoreLeavesNothingAndRunsAgain(major: Int) throws {
    let cluster = try TemporaryCluster.shared(major)
    let source = try cluster.createDatabase()
    try source.psql(SampleDatabase.sql)
    let file = RestoreFile(Array(try source.dump().utf8), "dump.sql")
    let name = Self.name()
    for phase in [RestorePhase.data, .analyze, .completion] {
      let cancellation = Cancellation()
      #expect(throws: (any Error).self) {
        _ = try restore(file, to: cluster.url(name), cancellation: cancellation) {
          $0.onProgress = { if $0.phase == phase { cancellation.cancel(reason: "SIGINT") } }
        }
      }
      #expect(
        try cluster.psql("SELECT count(*) FROM pg_database WHERE datname ~ '^\(name)'") == "0")
    }
    _ = try restore(file, to: cluster.url(name))
    #expect(try cluster.psql("SELECT count(*) FROM orders", database: name) == "1000")
    #expect(
      try cluster.psql(
        "SELECT count(*) FROM pg_stat_activity WHERE application_name ~ 'pgkeep restore' "
          + "AND datname ~ '^\(name)'") == "0")
    try cluster.psql("DROP DATABASE \(name)")
    try source.drop()
  }
}
