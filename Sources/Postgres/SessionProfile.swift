/// The settings that a connection gets before its first use.
///
/// A role or database may carry settings of its own (`ALTER ROLE … SET`), which would change what
/// floats, dates and bytea look like or end a session in the middle. A setting that the server's
/// version lacks is passed over.
public struct SessionProfile: Sendable {
  public var settings: [(name: String, value: String)]
  /// Whether text moves in the database's own encoding, without conversion.
  public var usesDatabaseEncoding: Bool

  public init(settings: [(name: String, value: String)], usesDatabaseEncoding: Bool) {
    self.settings = settings
    self.usesDatabaseEncoding = usesDatabaseEncoding
  }

  /// Nothing that we run is ended by a timer, and a killed client leaves no running statement.
  static let lifetime: [(name: String, value: String)] = [
    ("statement_timeout", "0"),
    ("lock_timeout", "0"),
    ("idle_in_transaction_session_timeout", "0"),
    ("idle_session_timeout", "0"),
    ("transaction_timeout", "0"),
    ("client_connection_check_interval", "2000"),
  ]

  /// For moving schemas and rows: the same value has the same text on every server.
  public static let data = SessionProfile(
    settings: [
      ("DateStyle", "ISO, YMD"),
      ("IntervalStyle", "postgres"),
      ("extra_float_digits", "3"),
      ("bytea_output", "hex"),
      ("TimeZone", "UTC"),
      ("lc_monetary", "C"),
      ("xmloption", "content"),
      ("xmlbinary", "base64"),
      ("array_nulls", "on"),
      ("quote_all_identifiers", "off"),
      ("escape_string_warning", "off"),
      ("standard_conforming_strings", "on"),
      ("backslash_quote", "safe_encoding"),
      ("transform_null_equals", "off"),
      ("row_security", "off"),
      ("synchronize_seqscans", "off"),
      ("default_transaction_read_only", "off"),
      ("default_transaction_isolation", "read committed"),
      ("default_transaction_deferrable", "off"),
      ("check_function_bodies", "off"),
      ("client_min_messages", "warning"),
      ("default_tablespace", ""),
      ("default_table_access_method", "heap"),
      ("jit", "off"),
    ] + lifetime,
    usesDatabaseEncoding: true)

  /// For statements that a person wrote: the role's own settings, without the timers.
  public static let statements = SessionProfile(settings: lifetime, usesDatabaseEncoding: false)

  /// For a session that runs no SQL: a physical replication connection refuses it.
  static let replication = none

  /// The settings as the server gives them to that role, to look at them.
  public static let none = SessionProfile(settings: [], usesDatabaseEncoding: false)

  /// One simple query that applies the profile. `data` also empties `search_path`, and does so
  /// first, so that no name in what follows can be shadowed. Nil when there is nothing to apply.
  var sql: SQLText? {
    if settings.isEmpty, !usesDatabaseEncoding { return nil }
    var values = settings.map { setting -> SQLText in
      "(\(SQLText(setting.name).quotedLiteral), \(SQLText(setting.value).quotedLiteral))"
    }
    var sql: SQLText = ""
    if usesDatabaseEncoding {
      sql += "SELECT pg_catalog.set_config('search_path', '', false);\n"
      values.append("('client_encoding', pg_catalog.current_setting('server_encoding'))")
    }
    // Not a join with pg_settings: that renders every setting of the server, for each connection.
    return sql + """
      SELECT pg_catalog.set_config(v.name, v.value, false)
      FROM (VALUES \(values.joined(separator: ", "))) v (name, value)
      WHERE pg_catalog.current_setting(v.name, true) IS NOT NULL
      """
  }
}
