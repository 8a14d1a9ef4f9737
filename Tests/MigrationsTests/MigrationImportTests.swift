import Foundation
import Migrations
import Postgres
import TestSupport
import Testing

/// Other tools' files and histories, taken over. Alembic and dbmate are the real ones.
@Suite struct MigrationImportTests {
  private let fixture: Fixture
  private let folder: TestDirectory
  private var ours: String { folder.file("ours") }
  private static let tools = ProjectRoot.path + "/.venv/bin/"

  init() throws {
    fixture = try Fixture()
    folder = try TestDirectory()
  }

  private func take(_ tool: ForeignTool, _ path: String? = nil) throws -> MigrationFiles {
    var taken = try MigrationImport(
      tool, path: path ?? folder.path, alembic: Self.tools + "alembic")
    try taken.write(to: ours)
    try taken.adopt(fixture.migrator())
    return try MigrationFiles(folder: ours)
  }

  /// What was applied by the other tool counts as applied, can be taken back and made again.
  private func checkRoundTrip(_ files: MigrationFiles, applied: Int) throws {
    let migrator = try fixture.migrator()
    #expect(try migrator.status(files).count(.applied) == applied)
    let schema = try fixture.database.dump(["--schema-only", "--exclude-schema=pgkeep"])
    try migrator.down(.steps(applied))
    try migrator.up(files)
    try migrator.down(.steps(files.migrations.count - applied))
    #expect(
      try Self.plain(fixture.database.dump(["--schema-only", "--exclude-schema=pgkeep"]))
        == Self.plain(schema))
    try migrator.up(files)
    #expect(try migrator.verify(files, wantsAllApplied: true).isClean)
  }

  /// Without lines that differ each time.
  private static func plain(_ dump: String) -> String {
    dump.split(separator: "\n").filter { !$0.hasPrefix("\\") }.joined(separator: "\n")
  }

  @Test func dbmate() throws {
    try folder.write(
      """
      -- migrate:up
      CREATE TABLE a (i int);
      CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN 1; END; $$;
      -- migrate:down
      DROP FUNCTION f;
      DROP TABLE a;
      """, to: "20260101000000_first.sql")
    try folder.write(
      "-- migrate:up transaction:false\nCREATE INDEX CONCURRENTLY a_i ON a (i);\n\n"
        + "-- migrate:down transaction:false\nDROP INDEX CONCURRENTLY a_i;\n",
      to: "20260102000000_second.sql")
    let url = fixture.database.url + "?sslmode=disable"
    try Command.check(
      Self.tools + "dbmate",
      ["--url", url, "--migrations-dir", folder.path, "--no-dump-schema", "up"])
    try folder.write(
      "-- migrate:up\nALTER TABLE a ADD COLUMN j int;\n-- migrate:down\nALTER TABLE a DROP COLUMN j;\n",
      to: "20260103000000_third.sql")
    let files = try take(.dbmate)
    #expect(files.migrations.map(\.up.isTransactional) == [true, false, true])
    try checkRoundTrip(files, applied: 2)
  }

  private func writeAlembic(_ revisions: [(id: String, parents: String, up: String, down: String)])
    throws
  {
    try folder.write("[alembic]\nscript_location = %(here)s/alembic\n", to: "alembic.ini")
    try folder.write(
      """
      import os
      from alembic import context
      from sqlalchemy import create_engine
      if context.is_offline_mode():
          context.configure(dialect_name="postgresql", literal_binds=True)
          with context.begin_transaction():
              context.run_migrations()
      else:
          with create_engine(os.environ["URL"]).connect() as connection:
              context.configure(connection=connection)
              with context.begin_transaction():
                  context.run_migrations()
      """, to: "alembic/env.py")
    for (index, revision) in revisions.enumerated() {
      try folder.write(
        """
        \"\"\"Step \(revision.id)

        Revision ID: \(revision.id)
        Create Date: 2026-01-0\(index + 1) 10:00:00.123456
        \"\"\"
        from alembic import op
        import sqlalchemy as sa
        revision = "\(revision.id)"
        down_revision = \(revision.parents)
        def upgrade():
            \(revision.up)
        def downgrade():
            \(revision.down)
        """, to: "alembic/versions/\(revision.id).py")
    }
  }

  private static let line: [(id: String, parents: String, up: String, down: String)] = [
    (
      "aa1", "None",
      "op.create_table('a', sa.Column('id', sa.Integer, primary_key=True), "
        + "sa.Column('state', sa.Enum('new', 'done', name='state')))",
      "op.drop_table('a'); op.execute('DROP TYPE state')"
    ),
    ("bb2", "'aa1'", "op.add_column('a', sa.Column('l', sa.Text))", "op.drop_column('a', 'l')"),
    ("cc3", "'aa1'", "op.create_table('c', sa.Column('r', sa.Text))", "op.drop_table('c')"),
    ("dd4", "('bb2', 'cc3')", "pass", "pass"),
    (
      "ee5", "'dd4'",
      "\n    with op.get_context().autocommit_block():\n"
        + "        op.create_index('a_l', 'a', ['l'], postgresql_concurrently=True)",
      "op.drop_index('a_l')"
    ),
    (
      "ff6", "'ee5'", "op.execute(\"INSERT INTO c VALUES ('it''s; --')\")",
      "op.execute('DELETE FROM c')"
    ),
  ]

  @Test func alembicWithBranchesAndAutocommitBlocks() throws {
    try writeAlembic(Self.line)
    let url = "postgresql+psycopg2" + fixture.database.url.dropFirst("postgresql".count)
    try Command.check(
      Self.tools + "alembic", ["upgrade", "ee5"], environment: ["URL": url],
      directory: folder.path)
    let files = try take(.alembic)
    #expect(files.migrations.count == 6)
    #expect(files.migrations.map(\.up.isTransactional) == [true, true, true, true, false, true])
    #expect(files.migrations.first?.title == "20260101100000_step_aa1")
    #expect(
      try fixture.migrator().status(files).lines.map(\.state)
        == [.applied, .applied, .applied, .applied, .applied, .pending])
    // Alembic's own table is not part of the schema that the files make.
    #expect(!files.migrations.contains { $0.up.text.string.contains("alembic_version") })
    try checkRoundTrip(files, applied: 5)
  }

  @Test func whatAlembicCannotTellIsNamed() throws {
    var revisions = Self.line
    revisions[1].up = "print(op.get_bind().execute(sa.text('SELECT 1')).fetchall())"
    try writeAlembic(revisions)
    let taken = try MigrationImport(
      .alembic, path: folder.path, alembic: Self.tools + "alembic")
    #expect(taken.problems.map(\.file) == ["bb2"])
    #expect(throws: MigrationsError.self) { try taken.write(to: ours) }
    #expect(!FileManager.default.fileExists(atPath: ours))
    #expect(throws: MigrationsError.self) {
      try MigrationImport(.alembic, path: folder.path, alembic: "/no/such/alembic")
    }
  }

  @Test func goose() throws {
    try folder.write(
      """
      -- +goose Up
      CREATE TABLE a (i int);
      -- +goose StatementBegin
      CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN 1; END; $$;
      -- +goose StatementEnd

      -- +goose Down
      DROP FUNCTION f; DROP TABLE a;
      """, to: "00001_first.sql")
    try folder.write(
      "-- +goose NO TRANSACTION\n-- +goose Up\nCREATE INDEX CONCURRENTLY a_i ON a (i);\n"
        + "-- +goose Down\nDROP INDEX CONCURRENTLY a_i;\n", to: "00002_second.sql")
    try fixture.database.psql(
      """
      CREATE TABLE a (i int);
      CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN 1; END; $$;
      CREATE TABLE goose_db_version (id int GENERATED ALWAYS AS IDENTITY, version_id bigint,
        is_applied boolean, tstamp timestamp DEFAULT now());
      INSERT INTO goose_db_version (version_id, is_applied)
      VALUES (0, true), (1, true), (2, true), (2, false);
      """)
    try checkRoundTrip(take(.goose), applied: 1)
    try folder.write("package x", to: "00003_third.go")
    #expect(try MigrationImport(.goose, path: folder.path).problems.count == 1)
  }

  @Test func golangMigrate() throws {
    try folder.write("BEGIN;\nCREATE TABLE a (i int);\nCOMMIT;\n", to: "000001_first.up.sql")
    try folder.write("DROP TABLE a;", to: "000001_first.down.sql")
    try folder.write("CREATE TABLE b (i int);", to: "000002_second.up.sql")
    try folder.write("DROP TABLE b;", to: "000002_second.down.sql")
    try folder.write("CREATE TABLE c (i int);", to: "000003_third.up.sql")
    try folder.write("DROP TABLE c;", to: "000003_third.down.sql")
    try fixture.database.psql(
      "CREATE TABLE a (i int); CREATE TABLE b (i int);"
        + "CREATE TABLE schema_migrations (version bigint, dirty bool);"
        + "INSERT INTO schema_migrations VALUES (2, false)")
    let files = try take(.golangMigrate)
    try checkRoundTrip(files, applied: 2)
    try fixture.database.psql("UPDATE schema_migrations SET dirty = true")
    var taken = try MigrationImport(.golangMigrate, path: folder.path)
    #expect(try failure { try taken.adopt(fixture.migrator()) }.code == .drift)
    try folder.write("BEGIN; SELECT 1; COMMIT; BEGIN; SELECT 2; COMMIT;", to: "000004_x.up.sql")
    #expect(try MigrationImport(.golangMigrate, path: folder.path).problems.count >= 1)
  }

  @Test func sqlx() throws {
    try folder.write("CREATE TABLE a (i int);", to: "1_first.up.sql")
    try folder.write("DROP TABLE a;", to: "1_first.down.sql")
    try folder.write(
      "-- no-transaction\nCREATE INDEX CONCURRENTLY a_i ON a (i);", to: "2_second.up.sql")
    try folder.write("DROP INDEX a_i;", to: "2_second.down.sql")
    try fixture.database.psql(
      "CREATE TABLE a (i int); CREATE TABLE _sqlx_migrations (version bigint PRIMARY KEY, "
        + "description text, installed_on timestamptz DEFAULT now(), success boolean, "
        + "checksum bytea, execution_time bigint);"
        + "INSERT INTO _sqlx_migrations VALUES (1, 'first', now(), true, '\\x00', 1)")
    try checkRoundTrip(take(.sqlx), applied: 1)
  }

  @Test func flyway() throws {
    try folder.write("CREATE TABLE a (i int);", to: "V1__first.sql")
    try folder.write("DROP TABLE a CASCADE;", to: "U1__first.sql")
    try folder.write("CREATE TABLE b (i int);", to: "V1.2__second_table.sql")
    try folder.write("DROP TABLE b;", to: "U1.2__second_table.sql")
    try folder.write("CREATE TABLE c (i int);", to: "V1_10__third.sql")
    try folder.write("DROP TABLE c;", to: "U1_10__third.sql")
    try folder.write("CREATE TABLE d (i int);", to: "V2__fourth.sql")
    try folder.write("CREATE OR REPLACE VIEW v AS SELECT i FROM a;", to: "R__v.sql")
    try fixture.database.psql(
      """
      CREATE TABLE a (i int); CREATE TABLE b (i int);
      CREATE TABLE flyway_schema_history (installed_rank int, version text, description text,
        type text, script text, checksum int, installed_by text, installed_on timestamp,
        execution_time int, success boolean);
      INSERT INTO flyway_schema_history (installed_rank, version, type, success) VALUES
        (1, '1', 'BASELINE', true), (2, '1.2', 'SQL', true), (3, NULL, 'SQL', true);
      """)
    let taken = try MigrationImport(.flyway, path: folder.path)
    #expect(taken.problems == [])
    #expect(
      taken.files.filter { $0.hasSuffix(".up.sql") } == [
        "1000000000000_first.up.sql", "1000200000000_second_table.up.sql",
        "1001000000000_third.up.sql", "2000000000000_fourth.up.sql",
      ])
    let files = try take(.flyway)
    #expect(
      try fixture.migrator().status(files).lines.map(\.state)
        == [.applied, .applied, .pending, .pending, .pending])
    try fixture.migrator().up(files)
    #expect(try fixture.tables().contains("c"))
    try folder.write("SELECT '${x}';", to: "V9__placeholder.sql")
    #expect(try MigrationImport(.flyway, path: folder.path).problems.count == 1)
  }

  @Test func aFileThatIsThereWithAnotherTextStays() throws {
    try folder.write("-- migrate:up\nSELECT 1;\n-- migrate:down\nSELECT 1;\n", to: "1_a.sql")
    let taken = try MigrationImport(.dbmate, path: folder.path)
    try taken.write(to: ours)
    try taken.write(to: ours)
    try folder.write("SELECT 2;", to: "ours/1_a.up.sql")
    #expect(throws: MigrationsError.self) { try taken.write(to: ours) }
    #expect(try String(decoding: folder.read("ours/1_a.up.sql"), as: UTF8.self) == "SELECT 2;")
  }
}
