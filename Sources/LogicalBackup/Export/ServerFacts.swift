import Postgres

/// What an export has to know about the server before it plans its work.
struct ServerFacts {
  var isStandby: Bool
  var systemIdentifier: String?
  /// By the server's clock, in UTC: `2026-11-22T02:00:00Z`.
  var now: String
  /// Connections that this role could still make to this database.
  var freeConnections: Int

  static func read(_ connection: Connection) throws -> ServerFacts {
    // The kind of others' sessions is hidden from a plain role: what has a role counts.
    let row = try connection.query(
      """
      SELECT pg_catalog.pg_is_in_recovery(),
        pg_catalog.to_char(pg_catalog.now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
        LEAST(
          pg_catalog.current_setting('max_connections')::pg_catalog.int8
            - pg_catalog.current_setting('superuser_reserved_connections')::pg_catalog.int8
            - COALESCE(pg_catalog.current_setting('reserved_connections', true), '0')
              ::pg_catalog.int8 - a.everybody,
          CASE WHEN r.rolconnlimit >= 0 AND NOT r.rolsuper THEN r.rolconnlimit - a.own END,
          CASE WHEN d.datconnlimit >= 0 AND NOT r.rolsuper THEN d.datconnlimit - a.here END),
        pg_catalog.has_function_privilege('pg_catalog.pg_control_system()', 'EXECUTE')
      FROM pg_catalog.pg_roles r, pg_catalog.pg_database d, (
        SELECT pg_catalog.count(*), pg_catalog.count(*) FILTER (WHERE s.usename = session_user),
          pg_catalog.count(*) FILTER (WHERE s.datname = pg_catalog.current_database())
        FROM pg_catalog.pg_stat_activity s
        WHERE s.usesysid IS NOT NULL AND COALESCE(s.backend_type, 'client backend') = 'client backend'
      ) a (everybody, own, here)
      WHERE r.rolname = session_user AND d.datname = pg_catalog.current_database()
      """)
    var facts = ServerFacts(
      isStandby: row.bool(0, 0), systemIdentifier: nil, now: row.string(0, 1),
      freeConnections: row.int(0, 2) ?? 0)
    if row.bool(0, 3) {
      facts.systemIdentifier = try connection.query(
        "SELECT system_identifier FROM pg_catalog.pg_control_system()"
      ).string(0, 0)
    }
    return facts
  }
}
