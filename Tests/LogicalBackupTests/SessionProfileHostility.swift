/// For each setting of the session profile, a value that would do harm.
enum SessionProfileHostility {
  static let settings: [(name: String, value: String)] = [
    ("DateStyle", "'German, DMY'"), ("IntervalStyle", "'sql_standard'"),
    ("extra_float_digits", "'-15'"), ("bytea_output", "'escape'"),
    ("TimeZone", "'Asia/Kolkata'"), ("xmloption", "'document'"), ("xmlbinary", "'hex'"),
    ("array_nulls", "'off'"), ("quote_all_identifiers", "'on'"),
    ("escape_string_warning", "'on'"), ("standard_conforming_strings", "'off'"),
    ("backslash_quote", "'off'"), ("transform_null_equals", "'on'"), ("row_security", "'on'"),
    ("synchronize_seqscans", "'on'"), ("default_transaction_isolation", "'serializable'"),
    ("default_transaction_read_only", "'on'"), ("default_transaction_deferrable", "'on'"),
    ("check_function_bodies", "'on'"), ("client_min_messages", "'debug5'"),
    ("statement_timeout", "'2s'"), ("lock_timeout", "'1ms'"),
    ("idle_in_transaction_session_timeout", "'2s'"), ("idle_session_timeout", "'2s'"),
    ("search_path", "'hostile, public, pg_catalog'"), ("client_encoding", "'LATIN1'"),
    ("default_tablespace", "''"), ("jit_above_cost", "'0'"),
  ]
}
