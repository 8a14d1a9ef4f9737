import ByteStream
import ObjectStore
import Postgres
import Repository
import TestSupport
import Testing

@testable import LogicalBackup

/// Roles and tablespaces of one cluster, made on another: pg_dumpall says the same of both.
@Suite struct GlobalsTests {
  private static func sql(_ major: Int) -> String {
    let options = major >= 16 ? " WITH INHERIT FALSE, SET FALSE" : ""
    return """
      CREATE ROLE app LOGIN PASSWORD 'se''cret' CREATEDB CONNECTION LIMIT 7 VALID UNTIL '2030-01-01';
      CREATE ROLE "Odd ""role" NOINHERIT; CREATE ROLE boss CREATEROLE BYPASSRLS REPLICATION;
      CREATE ROLE super SUPERUSER LOGIN; CREATE ROLE nothing; CREATE ROLE reader;
      COMMENT ON ROLE app IS 'it''s';
      GRANT "Odd ""role" TO app; GRANT reader TO boss WITH ADMIN OPTION; GRANT pg_monitor TO app;
      GRANT nothing TO app\(options);
      SET ROLE boss; GRANT reader TO app GRANTED BY boss; RESET ROLE;
      ALTER ROLE app SET search_path = app, "Odd schema", public;
      ALTER ROLE app SET work_mem = '64MB'; ALTER ROLE "Odd ""role" SET myapp.tenant = 'a b''c';
      GRANT SET ON PARAMETER log_statement TO app WITH GRANT OPTION;
      """
  }

  /// Tablespaces cannot be made in a transaction with the rest.
  private static let spaces = [
    "CREATE TABLESPACE \"Fast\" OWNER app LOCATION ''",
    "ALTER TABLESPACE \"Fast\" SET (random_page_cost = 1.1, seq_page_cost = 1)",
    "GRANT CREATE ON TABLESPACE \"Fast\" TO reader WITH GRANT OPTION",
    "COMMENT ON TABLESPACE \"Fast\" IS 'quick'",
  ]

  private static func cluster(_ major: Int) throws -> TemporaryCluster {
    try TemporaryCluster(
      major, ClusterOptions(settings: ["allow_in_place_tablespaces": "on"]))
  }

  private static func dump(_ cluster: TemporaryCluster) throws -> [String] {
    try cluster.check("pg_dumpall", ["--globals-only", "-U", "postgres"]).text
      .split(separator: "\n").map(String.init)
      .filter { !$0.hasPrefix("--") && !$0.contains("restrict ") }
      // An in-place tablespace's folder is named for its OID.
      .map { $0.replacing(#/pg_tblspc/\d+/#, with: "pg_tblspc/N") }
  }

  private static func take(
    _ cluster: TemporaryCluster, user: String = "postgres", _ repository: BackupRepository
  ) throws -> GlobalsManifest {
    try GlobalsTaker(
      ConnectionTarget(cluster.url("postgres", user: user)), into: repository, recipients: [],
      role: nil, tool: "test", cancellation: Cancellation()
    ).take()
  }

  private static func restore(
    _ manifest: GlobalsManifest, _ repository: BackupRepository, to cluster: TemporaryCluster,
    overwrites: Bool
  ) throws -> GlobalsRestore.Report {
    let file = LogicalFileReader(
      manifest.names.dataKey(encrypted: false), size: manifest.object.size,
      in: repository.store, cancellation: Cancellation())
    return try GlobalsRestore(
      ConnectionTarget(cluster.url("postgres")), overwrites: overwrites,
      cancellation: Cancellation()
    ).restore(file, manifest)
  }

  @Test(arguments: [15, 18]) func `another cluster gets the same`(major: Int) throws {
    let (one, two) = (try Self.cluster(major), try Self.cluster(major))
    try one.psql(Self.sql(major))
    for statement in Self.spaces { try one.psql(statement) }
    let directory = try TestDirectory()
    let repository = BackupRepository(try DirectoryStore(path: directory.path))
    let manifest = try Self.take(one, repository)
    #expect(manifest.passwords)
    #expect(manifest.roles.contains("Odd \"role") && manifest.tablespaces == ["Fast"])
    #expect(try repository.globals(named: "latest") == manifest)
    #expect(try repository.catalog().entries.isEmpty)

    let report = try Self.restore(manifest, repository, to: two, overwrites: false)
    #expect(report.kept == ["role postgres"])
    #expect(try Self.dump(two) == Self.dump(one))

    // Again: what is there stays, and with overwriting becomes what it was.
    try two.psql("ALTER ROLE app PASSWORD 'other' NOLOGIN; ALTER ROLE nothing SUPERUSER")
    let changed = try Self.dump(two)
    let again = try Self.restore(manifest, repository, to: two, overwrites: false)
    #expect(again.kept.count == manifest.roles.count + 1)
    #expect(try Self.dump(two) == changed)
    _ = try Self.restore(manifest, repository, to: two, overwrites: true)
    #expect(try Self.dump(two) == Self.dump(one))

    // By hand, on a third one.
    let three = try Self.cluster(major)
    let bytes = try repository.store.readAll(
      manifest.names.dataKey(encrypted: false), limit: 1 << 20, cancellation: Cancellation())
    let sql = try Command.check("gunzip", ["-c"], input: bytes).output
    _ = try three.check(
      "psql", ["-qX", "-v", "ON_ERROR_STOP=1", "-d", "postgres"], input: sql)
    #expect(try Self.dump(three) == Self.dump(one))
  }

  @Test func `memberships of 18 are made on 15, or said to have no words there`() throws {
    let (one, two) = (try Self.cluster(18), try Self.cluster(15))
    try one.psql(
      """
      CREATE ROLE reader; CREATE ROLE app; CREATE ROLE "Odd TO app WITH" NOINHERIT;
      GRANT reader TO app WITH ADMIN OPTION; GRANT app TO "Odd TO app WITH";
      """)
    let directory = try TestDirectory()
    let repository = BackupRepository(try DirectoryStore(path: directory.path))
    let plain = try Self.take(one, repository)
    _ = try Self.restore(plain, repository, to: two, overwrites: false)
    let memberships = """
      SELECT string_agg(concat_ws(' ', roleid::regrole, member::regrole, admin_option), '; '
        ORDER BY roleid::regrole::text)
      FROM pg_auth_members WHERE roleid >= 16384
      """
    #expect(
      try two.psql(memberships) == "app \"Odd TO app WITH\" f; reader app t")

    try two.psql("DROP ROLE reader, app, \"Odd TO app WITH\"")
    try one.psql("GRANT app TO \"Odd TO app WITH\" WITH INHERIT TRUE")
    let inheriting = try Self.take(one, repository)
    let error = #expect(throws: LogicalBackupError.self) {
      try Self.restore(inheriting, repository, to: two, overwrites: false)
    }
    #expect(error?.code == .unsupported)
    #expect(error?.message.contains("GRANT app TO \"Odd TO app WITH\"") == true)
    #expect(try two.psql("SELECT count(*) FROM pg_roles WHERE rolname = 'app'") == "0")
  }

  @Test func `a role that may not see passwords takes a backup without, and it says so`() throws {
    let (one, two) = (try Self.cluster(15), try Self.cluster(15))
    try one.psql(Self.sql(15))
    let directory = try TestDirectory()
    let repository = BackupRepository(try DirectoryStore(path: directory.path))
    let manifest = try Self.take(one, user: "app", repository)
    #expect(!manifest.passwords)
    #expect(manifest.roles.contains("app"))
    _ = try Self.restore(manifest, repository, to: two, overwrites: false)
    let passwords = try two.psql(
      "SELECT count(*) FROM pg_authid WHERE rolpassword IS NOT NULL AND rolname <> 'postgres'")
    #expect(passwords == "0")
    let expected = try Self.dump(one).map { $0.replacing(#/ PASSWORD '.*?'/#, with: "") }
    #expect(try Self.dump(two).map { $0.replacing(#/ PASSWORD '.*?'/#, with: "") } == expected)
  }

  @Test func `no error holds a password`() throws {
    let (one, two) = (try Self.cluster(15), try Self.cluster(15))
    try one.psql("CREATE ROLE app LOGIN PASSWORD 'secret'")
    let directory = try TestDirectory()
    let repository = BackupRepository(try DirectoryStore(path: directory.path))
    let manifest = try Self.take(one, repository)
    try two.psql("CREATE ROLE weak LOGIN CREATEROLE")
    let file = LogicalFileReader(
      manifest.names.dataKey(encrypted: false), size: manifest.object.size,
      in: repository.store, cancellation: Cancellation())
    let error = #expect(throws: LogicalBackupError.self) {
      try GlobalsRestore(
        ConnectionTarget(two.url("postgres", user: "weak")), overwrites: true,
        cancellation: Cancellation()
      ).restore(file, manifest)
    }
    #expect(error?.code == .statementFailed)
    #expect(error?.description.contains("SCRAM") == false)
    #expect(try two.psql("SELECT count(*) FROM pg_roles WHERE rolname = 'app'") == "0")
  }
}
