import Postgres

/// Which migrations another tool's history says are applied.
struct ForeignHistory {
  /// What that tool calls them.
  var applied: Set<String> = []
  /// All up to this one are applied too (Flyway's baseline).
  var baseline: String?

  /// - Throws: ``MigrationsError/Code/drift`` when that tool left something half done.
  init(_ tool: ForeignTool, _ connection: Connection) throws {
    let rows: QueryResult
    do { rows = try connection.query(Self.query(tool)) } catch let error as PostgresError
      where error.sqlState == .undefinedTable
    {
      throw MigrationsError(
        .noSuchStep,
        "\(connection.target) has no history of \(tool.rawValue). With --files-only the files "
          + "are converted without it.", cause: error)
    }
    for row in 0..<rows.rowCount {
      guard rows.bool(row, 1) else {
        throw MigrationsError(
          .drift,
          "\(tool.rawValue) left version \(rows.string(row, 0)) half done. Mend that with "
            + "\(tool.rawValue) first.")
      }
      if rows.string(row, 2) == "baseline" { baseline = rows.string(row, 0) }
      applied.insert(rows.string(row, 0))
    }
  }

  /// Version, whether it is whole, and its kind.
  private static func query(_ tool: ForeignTool) -> SQLText {
    switch tool {
    case .alembic: "SELECT version_num, true, '' FROM alembic_version"
    case .dbmate: "SELECT version, true, '' FROM schema_migrations"
    case .golangMigrate: "SELECT version, NOT dirty, '' FROM schema_migrations"
    // The last word about a version counts.
    case .goose:
      """
      SELECT version_id, true, '' FROM (
        SELECT DISTINCT ON (version_id) version_id, is_applied FROM goose_db_version
        ORDER BY version_id, id DESC) last
      WHERE is_applied AND version_id > 0
      """
    case .sqlx: "SELECT version, success, '' FROM _sqlx_migrations"
    case .flyway:
      """
      SELECT version, success, pg_catalog.lower(type) FROM flyway_schema_history
      WHERE version IS NOT NULL AND type NOT LIKE 'UNDO%' AND type <> 'DELETE'
        AND NOT EXISTS (
          SELECT FROM flyway_schema_history later
          WHERE later.version = flyway_schema_history.version
            AND later.installed_rank > flyway_schema_history.installed_rank
            AND (later.type LIKE 'UNDO%' OR later.type = 'DELETE') AND later.success)
      """
    }
  }

  /// Whether a migration is in the database.
  ///
  /// golang-migrate keeps one row: the newest version, and all before it are applied.
  func isApplied(
    _ migration: ForeignMigration, _ tool: ForeignTool, isPlain: Bool
  ) -> Bool {
    if applied.contains(migration.id) || applied.contains(migration.version.text) { return true }
    let bound = tool == .golangMigrate ? applied.first : baseline
    guard let bound, let version = FlywayReader.version(bound, isPlain: isPlain) else {
      return false
    }
    return migration.version <= version
  }
}
