import Postgres

/// What an export has to know about the server before it plans its work.
struct ServerFacts {
  var isStandby: Bool
  var systemIdentifier: String?
  /// By the server's clock, in UTC: `2026-11-22T02:00:00Z`.
  var now: String
  /// Connections that could still be made.
  var freeConnections: Int

  static func read(_ connection: Connection) throws -> ServerFacts {
    let row = try connection.query(
      """
      SELECT pg_catalog.pg_is_in_recovery(),
        pg_catalog.to_char(pg_catalog.now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
        pg_catalog.current_setting('max_connections')::pg_catalog.int4
          - (SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_activity
             WHERE backend_type = 'client backend'),
        pg_catalog.has_function_privilege('pg_catalog.pg_control_system()', 'EXECUTE')
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
