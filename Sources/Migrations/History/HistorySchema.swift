import Postgres

/// The tables that the history lives in, and how an older form of them becomes the present one.
///
/// Everything is in a schema of its own and always named with it, since a migration may change
/// `search_path`. Forms are numbered; `pgkeep.format` holds one row for each that was installed.
enum HistorySchema {
  /// The newest form that this version of the tool knows.
  static var currentFormat: Int { steps.count }

  /// Brings the tables to the present form. Only called under the migration lock.
  ///
  /// - Throws: ``MigrationsError/Code/historyTooNew``, or ``MigrationsError/Code/notAllowed`` when
  ///   the role may not make the schema.
  static func install(_ connection: Connection, toolVersion: String) throws {
    let found = try format(connection)
    guard found < currentFormat else { return try check(found, connection) }
    do {
      try connection.transaction {
        if found == 0 { try makeSchema(connection) }
        for (index, step) in steps.enumerated() where index >= found {
          try connection.run(step)
          _ = try connection.query(
            "INSERT INTO pgkeep.format (format, tool_version) VALUES ($1, $2)",
            [SQLText("\(index + 1)"), SQLText(toolVersion)])
        }
      }
    } catch let error as PostgresError where error.sqlState == .insufficientPrivilege {
      throw MigrationsError(
        .notAllowed,
        "The history cannot be made: the role may not create the schema pgkeep. As the "
          + "database's owner run: CREATE SCHEMA pgkeep AUTHORIZATION "
          + "\(connection.target.user ?? "ROLE")", cause: error)
    }
  }

  /// Lets new rows have numbers behind those that are there, where rows came without their
  /// sequence's value.
  static func alignSequences(_ connection: Connection) throws {
    guard try format(connection) > 0 else { return }
    _ = try connection.query(
      """
      SELECT pg_catalog.setval('pgkeep.migration_history_id_seq', pg_catalog.max(id))
      FROM pgkeep.migration_history HAVING pg_catalog.max(id) IS NOT NULL
      """)
  }

  static let formatQuery: SQLText = "SELECT pg_catalog.max(format) FROM pgkeep.format"

  /// The form of the tables in this database: 0 when there are none.
  static func format(_ connection: Connection) throws -> Int {
    do {
      return try connection.query(formatQuery).int(0, 0) ?? 0
    } catch let error as PostgresError {
      switch error.sqlState {
      case .undefinedTable, "3F000": return 0
      case .insufficientPrivilege:
        throw MigrationsError(
          .notAllowed,
          "The role may not read the history. Its owner can allow it: GRANT USAGE ON SCHEMA "
            + "pgkeep TO ROLE; GRANT SELECT ON ALL TABLES IN SCHEMA pgkeep TO ROLE", cause: error)
      default: throw error
      }
    }
  }

  static func check(_ format: Int, _ connection: Connection) throws {
    guard format > currentFormat else { return }
    throw MigrationsError(
      .historyTooNew,
      "The history of \(connection.target) has form \(format), made by a newer pgkeep; this one "
        + "knows forms up to \(currentFormat). Update pgkeep here.")
  }

  /// CREATE SCHEMA IF NOT EXISTS wants the right to create one even where it exists, so look first.
  private static func makeSchema(_ connection: Connection) throws {
    let exists = try connection.query(
      "SELECT FROM pg_catalog.pg_namespace WHERE nspname OPERATOR(pg_catalog.=) 'pgkeep'")
    if exists.rowCount == 0 { try connection.run("CREATE SCHEMA pgkeep") }
  }

  private static let steps: [SQLText] = [form1, form2, form3]

  /// History rows are never changed: what a row means is never revised, and an attempt's start and
  /// its end are two rows.
  private static let form1: SQLText = """
    CREATE TABLE pgkeep.format (
      format integer PRIMARY KEY,
      tool_version text NOT NULL,
      installed_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp()
    );
    COMMENT ON TABLE pgkeep.format IS 'Forms of pgkeep''s own tables; the highest is in force';

    CREATE TABLE pgkeep.migration_history (
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      scope text NOT NULL DEFAULT '',
      kind text NOT NULL CHECK (kind IN ('versioned', 'repeatable')),
      version text CHECK ((version IS NULL) = (kind = 'repeatable')),
      name text NOT NULL,
      direction text NOT NULL CHECK (direction IN ('up', 'down')),
      outcome text NOT NULL
        CHECK (outcome IN ('started', 'done', 'failed', 'baseline', 'imported', 'repaired')),
      attempt bigint REFERENCES pgkeep.migration_history,
      undoes bigint REFERENCES pgkeep.migration_history,
      up_sha256 text,
      down_sha256 text,
      up_text text,
      down_text text,
      statements integer,
      error text,
      role text NOT NULL DEFAULT SESSION_USER,
      host text,
      tool_version text NOT NULL,
      duration_ms bigint,
      recorded_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
      details jsonb
    );
    COMMENT ON TABLE pgkeep.migration_history IS
      'Every migration up and down, as it ran; rows are only ever added';
    COMMENT ON COLUMN pgkeep.migration_history.scope IS
      'The tenant''s schema, where each has its own history; empty for the whole database';
    COMMENT ON COLUMN pgkeep.migration_history.attempt IS
      'The row with outcome started that this row ends';
    COMMENT ON COLUMN pgkeep.migration_history.undoes IS 'The row of the up that this down undid';

    CREATE TABLE pgkeep.statement_ledger (
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      attempt bigint NOT NULL REFERENCES pgkeep.migration_history,
      ordinal integer NOT NULL,
      event text NOT NULL CHECK (event IN ('started', 'done', 'failed')),
      sha256 text NOT NULL,
      backend_pid integer,
      error text,
      recorded_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp()
    );
    CREATE INDEX statement_ledger_attempt ON pgkeep.statement_ledger (attempt, id);
    COMMENT ON TABLE pgkeep.statement_ledger IS
      'How far each migration without a transaction got, statement by statement';

    CREATE FUNCTION pgkeep.refuse_change() RETURNS trigger LANGUAGE plpgsql AS
    $function$
    BEGIN
      RAISE EXCEPTION 'rows of %.% are only ever added', TG_TABLE_SCHEMA, TG_TABLE_NAME
        USING ERRCODE = 'object_not_in_prerequisite_state';
    END
    $function$;
    CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON pgkeep.migration_history
      FOR EACH STATEMENT EXECUTE FUNCTION pgkeep.refuse_change();
    CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON pgkeep.statement_ledger
      FOR EACH STATEMENT EXECUTE FUNCTION pgkeep.refuse_change();
    """

  /// What the schema was like after migrations: all records, and the objects of the newest one.
  private static let form2: SQLText = """
    CREATE TABLE pgkeep.schema_record (
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      history_id bigint NOT NULL REFERENCES pgkeep.migration_history,
      first_history_id bigint NOT NULL REFERENCES pgkeep.migration_history,
      fingerprint_before text NOT NULL,
      fingerprint_after text NOT NULL,
      difference jsonb NOT NULL,
      lsn pg_lsn NOT NULL DEFAULT pg_catalog.pg_current_wal_insert_lsn(),
      recorded_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp()
    );
    COMMENT ON TABLE pgkeep.schema_record IS
      'What the schema was before and after the rows first_history_id to history_id of the history';
    CREATE TABLE pgkeep.schema_object (
      position integer PRIMARY KEY,
      kind text NOT NULL,
      schema text,
      name text NOT NULL,
      sql text NOT NULL
    );
    COMMENT ON TABLE pgkeep.schema_object IS 'The objects of the newest schema_record';
    CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON pgkeep.schema_record
      FOR EACH STATEMENT EXECUTE FUNCTION pgkeep.refuse_change();
    """

  /// What migrations dropped and was kept for their downs.
  private static let form3: SQLText = """
    CREATE TABLE pgkeep.dropped_data (
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      history_id bigint NOT NULL,
      store text NOT NULL,
      schema text NOT NULL,
      name text NOT NULL,
      keys text[] NOT NULL,
      columns text[] NOT NULL,
      is_table boolean NOT NULL,
      row_count bigint NOT NULL,
      bytes bigint NOT NULL,
      kept_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
      put_back_at timestamptz,
      put_back_by bigint
    );
    COMMENT ON TABLE pgkeep.dropped_data IS
      'What migrate up --keep-dropped copied before it was dropped; store names the table with the copy';
    """
}
