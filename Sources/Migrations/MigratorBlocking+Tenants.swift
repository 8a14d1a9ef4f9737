import Postgres

/// Tenants that have a schema each, with the same tables in all of them.
extension Migrator.Blocking {
  /// The same operations for one tenant: its schema comes first in `search_path`, and it has a
  /// history of its own.
  public func tenant(_ schema: String) -> Migrator.Blocking {
    var options = options
    options.scope = schema
    options.searchPath = [schema] + (options.searchPath ?? ["public"]).filter { $0 != schema }
    return Migrator.Blocking(
      target: target, options: options, cancellation: cancellation, emit: emit)
  }

  /// One set of operations for each schema whose name matches, in order of name.
  ///
  /// - Parameter pattern: a name in which `*` stands for any characters and `?` for one.
  /// - Throws: ``MigrationsError/Code/noSuchStep`` when no schema matches: a pattern gone wrong
  ///   must not look like a success.
  public func tenants(matching pattern: String) throws -> [(
    schema: String, migrator: Migrator.Blocking
  )] {
    let connection = try Connection(
      target, ConnectionOptions(applicationName: "pgkeep migrate", profile: .statements),
      cancellation: cancellation)
    let result = try connection.query(
      """
      SELECT nspname FROM pg_catalog.pg_namespace
      WHERE nspname OPERATOR(pg_catalog.~~) $1
        AND nspname OPERATOR(pg_catalog.!~) '^(pg_|information_schema$|pgkeep$)'
      ORDER BY nspname COLLATE "C"
      """, [SQLText(Self.like(pattern))])
    guard result.rowCount > 0 else {
      throw MigrationsError(
        .noSuchStep, "No schema of \(target) matches \(pattern). Nothing was done.")
    }
    return (0..<result.rowCount).map { row in
      let schema = result.string(row, 0)
      return (schema, tenant(schema))
    }
  }

  /// The pattern as LIKE takes it.
  static func like(_ pattern: String) -> String {
    pattern.map { character in
      switch character {
      case "*": "%"
      case "?": "_"
      case "%", "_", "\\": "\\\(character)"
      default: "\(character)"
      }
    }.joined()
  }
}
