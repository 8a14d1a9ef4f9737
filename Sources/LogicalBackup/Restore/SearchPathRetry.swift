import Postgres

/// A second attempt, with a `search_path`, at what failed in a function that relies on one.
///
/// A restore's `search_path` is empty, since with another one anybody who may make functions in a
/// schema on it could have them called by the restoring role (CVE-2018-1058). A function with
/// unqualified names and no `SET search_path` of its own then fails, when an index over it is made,
/// say. Who trusts all who may create in those schemas asks for ``RestoreOptions/retriesSearchPath``.
enum SearchPathRetry {
  /// The innermost function in which a name was not found; nil when the error is another one.
  static func function(_ error: ServerMessage) -> String? {
    let states: [SQLState] = [.undefinedFunction, .undefinedObject, .undefinedTable]
    guard states.contains(error.sqlState), let context = error.context else { return nil }
    // Lines such as `PL/pgSQL function public.f(integer) line 3 at RETURN` and
    // `SQL function "f" during inlining`, innermost first; messages may be in another language.
    for line in context.split(separator: "\n") {
      guard let start = line.firstRange(of: " function ")?.upperBound else { continue }
      let rest = line[start...]
      let end = [" line ", " while ", " during ", " statement "].compactMap {
        rest.firstRange(of: $0)?.lowerBound
      }.min()
      let name = rest[..<(end ?? rest.endIndex)]
      // A SQL function stands there by its name alone, in quotes that are not part of it.
      let isBare = line.hasPrefix("SQL ") && name.first == "\"" && name.last == "\""
      return String(isBare ? name.dropFirst().dropLast() : name)
    }
    return context.split(separator: "\n").first.map(String.init)
  }

  /// The object's schema, those of extensions, and `public`, as far as they are there; what stands
  /// in `search_path`.
  static func path(_ schema: SQLText?, _ connection: Connection) throws -> SQLText {
    let schema = schema?.quotedLiteral ?? "''"
    let rows = try connection.query(
      """
      SELECT pg_catalog.quote_ident(n.nspname) FROM pg_catalog.pg_namespace n
      WHERE n.nspname <> 'pg_catalog' AND (n.nspname = \(schema) OR n.nspname = 'public' OR n.oid
        IN (SELECT e.extnamespace FROM pg_catalog.pg_extension e))
      ORDER BY n.nspname <> \(schema), n.nspname = 'public', n.nspname
      """)
    var names = (0..<rows.rowCount).compactMap { rows[$0, 0] }
    // Last, or it would be first for tables and types.
    names.append("pg_temp")
    return names.joined(separator: ", ")
  }

  /// For an error, when nothing was tried again or that failed too.
  static func hint(_ function: String, wasTried: Bool) -> String {
    let start =
      " The function \(function) finds what it uses by search_path, which is empty in a restore."
      + " Run ALTER FUNCTION … SET search_path for it where the backup was taken, and take another"
    return wasTried
      ? start + "; --retry-search-path did not help here. From 17 on the server itself sets a safe "
        + "search_path while it makes indexes and refreshes materialized views."
      : start + ", or restore with --retry-search-path (docs/security.md)."
  }

  /// For the report, after a second attempt that went well.
  static func note(_ object: String, _ function: String, _ path: SQLText) -> String {
    "Warning: \(object) was made with search_path = \(path), since the function \(function) finds "
      + "what it uses by it. Give it a path of its own, ALTER FUNCTION … SET search_path = \(path), "
      + "or restores go on failing with psql, and from PostgreSQL 17 on."
  }
}
