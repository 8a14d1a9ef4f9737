import Postgres

/// Which migration a database is at, by the history that pgkeep's `migrate` keeps in it
/// (docs/migrations.md).
enum NewestMigration {
  /// Reads the history in the connection's transaction.
  ///
  /// - Returns: the highest applied version; nil when there is none, or no history that the role may
  ///   read.
  static func read(_ connection: Connection) throws -> String? {
    // Looked for by names that the role need not be allowed to use.
    let table = try connection.query(
      """
      SELECT pg_catalog.has_schema_privilege(n.oid, 'USAGE')
        AND pg_catalog.has_table_privilege(c.oid, 'SELECT')
        AND 6 = (SELECT pg_catalog.count(*) FROM pg_catalog.pg_attribute a
          WHERE a.attrelid = c.oid AND NOT a.attisdropped AND a.attname
            IN ('id', 'scope', 'kind', 'version', 'direction', 'outcome'))
      FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = 'pgkeep' AND c.relname = 'migration_history' AND c.relkind = 'r'
      """)
    guard table.rowCount == 1, table.bool(0, 0) else { return nil }
    // A version is applied when its last row that decides says so: an attempt that began or failed
    // decides nothing. Versions are numbers of any length.
    let newest = try connection.query(
      """
      SELECT version FROM (
        SELECT DISTINCT ON (pg_catalog.ltrim(version, '0')) version, direction FROM pgkeep.migration_history
        WHERE scope = '' AND kind = 'versioned' AND outcome NOT IN ('started', 'failed')
        ORDER BY pg_catalog.ltrim(version, '0'), id DESC) last
      WHERE direction = 'up'
      ORDER BY pg_catalog.length(pg_catalog.ltrim(version, '0')) DESC,
        pg_catalog.ltrim(version, '0') COLLATE "C" DESC LIMIT 1
      """)
    return newest.rowCount == 1 ? newest[0, 0]?.string : nil
  }
}
