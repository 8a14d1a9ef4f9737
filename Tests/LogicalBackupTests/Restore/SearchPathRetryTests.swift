import ByteStream
import Postgres
import TestSupport
import Testing

@testable import LogicalBackup

/// Functions that find what they use by `search_path`, in what a restore makes after the rows.
@Suite struct SearchPathRetryTests {
  /// An index, a unique constraint's kind of index, and a materialized view that call functions with
  /// unqualified names in schemas of their own.
  private static let sql = """
    CREATE EXTENSION earthdistance CASCADE;
    CREATE SCHEMA "Geo";
    CREATE TABLE "Geo".places (id int PRIMARY KEY, lat float8, lon float8);
    INSERT INTO "Geo".places SELECT n, n, 2 * n FROM generate_series(1, 50) n;
    SET search_path = "Geo", public;
    CREATE INDEX places_earth ON "Geo".places USING gist (public.ll_to_earth(lat, lon));
    CREATE FUNCTION "Geo".twice(a int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 2 * a';
    CREATE FUNCTION "Geo".fourfold(a int) RETURNS int LANGUAGE plpgsql IMMUTABLE
      AS 'BEGIN RETURN twice(twice(a)); END';
    CREATE INDEX places_fourfold ON "Geo".places ("Geo".fourfold(id));
    CREATE FUNCTION "Geo".entries() RETURNS bigint LANGUAGE plpgsql STABLE
      AS 'BEGIN RETURN (SELECT count(*) FROM places); END';
    CREATE MATERIALIZED VIEW "Geo".summary AS SELECT "Geo".entries() AS n;
    """

  private func restore(
    _ file: RestoreFile, to url: String, _ change: (inout RestoreOptions) -> Void
  ) throws -> RestoreReport {
    var options = RestoreOptions()
    options.verifies = true
    change(&options)
    return try LogicalRestorer(ConnectionTarget(url), options, cancellation: Cancellation())
      .restore(file.reader)
  }

  /// From 17 on the server makes indexes with a path of its own.
  @Test func isMadeWhenAskedFor() throws {
    let cluster = try TemporaryCluster.shared(15)
    let source = try cluster.createDatabase()
    defer { try? source.drop() }
    try source.psql(Self.sql)
    let file = RestoreFile(try ExportFixture.export(source).bytes, "geo.sql.gz")
    let copy = TemporaryDatabase(cluster: cluster, name: TemporaryCluster.uniqueName("path"))
    defer { try? copy.drop() }
    let error = #expect(throws: LogicalBackupError.self) {
      try restore(file, to: copy.url) { _ in }
    }
    #expect(error?.code == .statementFailed)
    #expect(error?.message.contains("--retry-search-path") == true)
    #expect(error?.message.contains("ALTER FUNCTION") == true)

    let report = try restore(file, to: copy.url) { $0.retriesSearchPath = true }
    #expect(report.isVerified)
    #expect(report.skipped == [])
    let warnings = report.notes.filter { $0.contains("ALTER FUNCTION") }
    #expect(warnings.count == 3)
    for name in ["INDEX Geo.places_fourfold", "function \"Geo\".fourfold(integer)", "Geo.summary"] {
      #expect(warnings.contains { $0.contains(name) }, "\(name)")
    }
    #expect(warnings.allSatisfy { $0.contains("search_path = \"Geo\", public, pg_temp") })
    #expect(
      try SampleDatabase.lines(copy.dump(["-s"])) == SampleDatabase.lines(source.dump(["-s"])))
    #expect(try copy.psql("SELECT n FROM \"Geo\".summary") == "50")
    #expect(
      try copy.psql("SELECT count(*) FROM pg_index WHERE indisvalid AND indexrelid > 16384")
        == source.psql("SELECT count(*) FROM pg_index WHERE indisvalid AND indexrelid > 16384"))
  }

  /// A plain owner's restore is rehearsed before rows move; it tries again there too.
  @Test func isRehearsed() throws {
    let cluster = try TemporaryCluster.shared(15)
    let source = try cluster.createDatabase()
    defer { try? source.drop() }
    try source.psql(
      """
      CREATE TABLE public.t (a int, b float8);
      INSERT INTO public.t VALUES (1, 2);
      CREATE FUNCTION public.inner_one(a int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT a';
      CREATE FUNCTION public.outer_one(a int) RETURNS int LANGUAGE sql IMMUTABLE
        AS 'SELECT inner_one(a)';
      CREATE INDEX t_outer ON public.t (public.outer_one(a));
      CREATE INDEX t_plain ON public.t (b);
      """)
    let file = RestoreFile(try ExportFixture.export(source).bytes, "plain.sql.gz")
    let role = TemporaryCluster.uniqueName("owner")
    try cluster.psql("CREATE ROLE \(role) LOGIN CREATEDB")
    let copy = TemporaryDatabase(cluster: cluster, name: TemporaryCluster.uniqueName("path"))
    defer {
      try? copy.drop()
      _ = try? cluster.psql("DROP ROLE \(role)")
    }
    let refusal = #expect(throws: LogicalBackupError.self) {
      try restore(file, to: copy.url(user: role)) { $0.omitsOwners = true }
    }
    #expect(refusal?.message.contains("No rows were loaded.") == true)
    let report = try restore(file, to: copy.url(user: role)) {
      $0.omitsOwners = true
      $0.retriesSearchPath = true
    }
    #expect(report.phases.contains { $0.phase == .rehearsal })
    #expect(report.isVerified)
    #expect(report.notes.filter { $0.contains("t_outer") }.count == 1)
    #expect(
      try copy.psql("SELECT count(*) FROM pg_indexes WHERE indexname IN ('t_outer', 't_plain')")
        == "2")
  }

  /// Expressions of extended statistics are computed by ANALYZE alone.
  @Test func statisticsAreNotWorthAFailure() throws {
    let cluster = try TemporaryCluster.shared(15)
    let source = try cluster.createDatabase()
    defer { try? source.drop() }
    try source.psql(
      """
      CREATE TABLE public.t (a int, b int);
      INSERT INTO public.t SELECT n, n FROM generate_series(1, 100) n;
      CREATE FUNCTION public.inner_one(a int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT a';
      CREATE FUNCTION public.outer_one(a int) RETURNS int LANGUAGE plpgsql IMMUTABLE
        AS 'BEGIN RETURN inner_one(a); END';
      CREATE STATISTICS public.s ON (public.outer_one(a)), b FROM public.t;
      """)
    let file = RestoreFile(try ExportFixture.export(source).bytes, "statistics.sql.gz")
    for retries in [false, true] {
      let copy = TemporaryDatabase(cluster: cluster, name: TemporaryCluster.uniqueName("path"))
      defer { try? copy.drop() }
      let report = try restore(file, to: copy.url) { $0.retriesSearchPath = retries }
      #expect(report.isVerified)
      #expect(
        report.notes.filter { $0.contains("public.outer_one(integer)") }.count == (retries ? 0 : 1))
      #expect(
        try copy.psql("SELECT count(*) > 0 FROM pg_stats WHERE tablename = 't'")
          == (retries ? "t" : "f"))
    }
  }

  @Test(arguments: [
    ("42883", "PL/pgSQL function public.f(integer) line 1 at RETURN", "public.f(integer)"),
    ("42704", "SQL function \"ll_to_earth\" during inlining", "ll_to_earth"),
    ("42P01", "SQL function \"f\" statement 1\nPL/pgSQL function g() line 2 at IF", "f"),
    (
      "42883", "PL/pgSQL function \"Geo\".f(\"Geo\".t) while casting return value to …",
      "\"Geo\".f(\"Geo\".t)"
    ),
    ("42883", nil, nil),
    ("42501", "SQL function \"f\" statement 1", nil),
  ]) func namesTheInnermost(state: String, context: String?, function: String?) {
    var message = ServerMessage(sqlState: SQLState(state), message: "not there")
    message.context = context
    #expect(SearchPathRetry.function(message) == function)
  }
}
