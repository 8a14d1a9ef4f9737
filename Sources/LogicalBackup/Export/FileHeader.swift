import Postgres

/// The text that a logical backup file begins with: what it is, the settings that its statements
/// are written for, and a check that stops before anything is made when the server lacks a role
/// or an extension. Plain SQL without psql's own commands.
struct FileHeader {
  private let facts: BackupFacts

  init(_ facts: BackupFacts) { self.facts = facts }

  /// What statements and rows are read by. Those that the server's version lacks are passed over.
  private static let settings: [(name: SQLText, value: SQLText)] = [
    ("statement_timeout", "0"), ("lock_timeout", "0"),
    ("idle_in_transaction_session_timeout", "0"), ("idle_session_timeout", "0"),
    ("transaction_timeout", "0"), ("standard_conforming_strings", "on"),
    ("backslash_quote", "safe_encoding"), ("escape_string_warning", "off"),
    ("check_function_bodies", "off"), ("client_min_messages", "warning"),
    ("default_transaction_read_only", "off"), ("row_security", "off"),
    ("default_tablespace", ""), ("default_table_access_method", "heap"),
    ("DateStyle", "ISO, YMD"), ("IntervalStyle", "postgres"), ("TimeZone", "UTC"),
    ("lc_monetary", "C"), ("xmloption", "content"), ("array_nulls", "on"),
    ("transform_null_equals", "off"), ("synchronize_seqscans", "off"),
  ]

  var text: SQLText {
    """
    --
    -- Backup \(onOneLine(SQLText(facts.id))) of database \(onOneLine(facts.database))
    -- PostgreSQL \(onOneLine(SQLText(facts.serverVersion))), snapshot of \(facts.snapshotTime), \
    by pgkeep \(facts.tool)
    --
    \(partial)-- Restore with pgkeep, or: gunzip -c FILE | psql -X -v ON_ERROR_STOP=1 -d EMPTY_DATABASE
    --

    SELECT pg_catalog.set_config('search_path', '', false);
    SET client_encoding = \(SQLText(facts.encoding).quotedLiteral);
    SELECT pg_catalog.count(pg_catalog.set_config(s.name, v.value, false)) AS settings
    FROM (VALUES
      \(values)
    ) v (name, value)
    JOIN pg_catalog.pg_settings s ON pg_catalog.lower(s.name) = pg_catalog.lower(v.name);

    \(check)
    """
  }

  /// One line that says what is not in the file.
  private var partial: SQLText {
    guard facts.isPartial else { return "" }
    let words = onOneLine(SQLText(facts.selection.joined(separator: "; ")))
    return "\(Self.partialMark)\(words)\n--\n"
  }

  /// What the line begins with that says what is not in the file.
  static let partialMark: SQLText = "-- A part of the database: "

  private var values: SQLText {
    Self.settings.map { "(\($0.name.quotedLiteral), \($0.value.quotedLiteral))" as SQLText }
      .joined(separator: ",\n  ")
  }

  private var check: SQLText {
    let checks =
      missing(
        "roles", facts.roles, "pg_catalog.pg_roles r WHERE r.rolname = n.name",
        "Create them (pgkeep restore can do without), then restore again.")
      + missing(
        "extensions", facts.extensions,
        "pg_catalog.pg_available_extensions e WHERE e.name = n.name",
        "Install them on the server, then restore again.")
    guard !checks.isEmpty else { return "" }
    let body: SQLText = """

      DECLARE
        missing pg_catalog.text;
      BEGIN
      \(checks)END
      """
    return "DO \(Self.dollarQuoted(body));\n\n"
  }

  private func missing(
    _ what: SQLText, _ names: [SQLText], _ found: SQLText, _ hint: SQLText
  ) -> SQLText {
    guard !names.isEmpty else { return "" }
    return """
        SELECT pg_catalog.string_agg(pg_catalog.quote_ident(n.name), ', ') INTO missing
        FROM pg_catalog.unnest(ARRAY[
          \(names.map(\.quotedLiteral).joined(separator: ",\n      "))
        ]::pg_catalog.name[]) n (name)
        WHERE NOT EXISTS (SELECT FROM \(found));
        IF missing IS NOT NULL THEN
          RAISE EXCEPTION 'this server lacks \(what) that the backup names: %', missing
            USING HINT = '\(hint)';
        END IF;

      """
  }

  /// A body in dollar quotes that it does not hold itself.
  static func dollarQuoted(_ body: SQLText) -> SQLText {
    var tag: SQLText = "$pgkeep$"
    var number = 0
    while body.bytes.firstRange(of: tag.bytes) != nil {
      number += 1
      tag = "$pgkeep\(number)$"
    }
    return tag + body + tag
  }

  /// A name may hold newlines, which would end the comment that it stands in.
  private func onOneLine(_ text: SQLText) -> SQLText {
    SQLText(bytes: text.bytes.map { $0 < 0x20 ? UInt8(ascii: " ") : $0 })
  }
}
