import ByteStream
import Postgres
import Schema

/// A database that is made for a rehearsal and dropped after it.
final class ScratchDatabase {
  let target: ConnectionTarget
  private let maker: ConnectionTarget
  private let name: SQLText?
  private var isRemoved = false

  /// Makes a database beside `target`, with its encoding and locale.
  init(
    beside target: ConnectionTarget, like facts: DatabaseFacts, cancellation: Cancellation
  ) throws {
    maker = target
    let suffix = String(UInt64.random(in: 0...UInt64.max), radix: 36)
    let name = SQLText("pgkeep_rehearsal_\(suffix)")
    self.name = name
    self.target = target.with(database: name.string)
    var sql: SQLText = """
      CREATE DATABASE \(name) TEMPLATE template0 ENCODING '\(facts.encoding)'
      LC_COLLATE \(facts.collate.quotedLiteral) LC_CTYPE \(facts.characterType.quotedLiteral)
      """
    if let locale = facts.locale {
      switch facts.localeProvider {
      case "i": sql += " LOCALE_PROVIDER icu ICU_LOCALE \(locale.quotedLiteral)"
      case "b": sql += " LOCALE_PROVIDER builtin BUILTIN_LOCALE \(locale.quotedLiteral)"
      default: break
      }
    }
    let connection = try Self.connect(maker, cancellation)
    do { try connection.run(sql) } catch let error as PostgresError
      where error.sqlState == .insufficientPrivilege
    {
      throw MigrationsError(
        .notAllowed,
        "The role may not make a scratch database beside \(target). Give an empty database of a "
          + "server of the same version with --scratch URL.", cause: error)
    }
  }

  /// Takes a database that is there. It has to be empty, and is emptied again afterwards.
  init(given target: ConnectionTarget, cancellation: Cancellation) throws {
    self.target = target
    maker = target
    name = nil
    let connection = try Self.connect(target, cancellation)
    let found = try connection.query(
      """
      SELECT FROM pg_catalog.pg_namespace n
      WHERE n.nspname !~ '^(pg_|information_schema$)' AND (
        n.nspname <> 'public'
        OR EXISTS (SELECT FROM pg_catalog.pg_class WHERE relnamespace = n.oid)
        OR EXISTS (SELECT FROM pg_catalog.pg_proc WHERE pronamespace = n.oid)
        OR EXISTS (SELECT FROM pg_catalog.pg_type WHERE typnamespace = n.oid))
      """)
    guard found.rowCount == 0 else {
      isRemoved = true
      throw MigrationsError(
        .notAllowed,
        "The scratch database \(target) is not empty; it would be emptied. Give one "
          + "that holds nothing.")
    }
  }

  /// Makes the schema of `catalog` in it, without owners and rights.
  func fill(_ catalog: SchemaCatalog, cancellation: Cancellation) throws {
    let connection = try Self.connect(target, cancellation)
    try connection.run(SchemaScript.settings)
    let options = ScriptOptions(includesOwners: false, includesPrivileges: false)
    let script = catalog.script(options)
    for item in script.preData + script.postData {
      do { try connection.run(item.sql) } catch let error as PostgresError
        where error.code == .server
      {
        throw MigrationsError(
          .statementFailed,
          "The scratch database cannot be made like the target: \(item.kind.label.lowercased()) "
            + "\(item.name): \(error)", cause: error)
      }
    }
  }

  /// Drops it. A run that was stopped does this too.
  func remove() throws {
    guard !isRemoved else { return }
    isRemoved = true
    let connection = try Self.connect(maker, Cancellation())
    if let name {
      try connection.run("DROP DATABASE IF EXISTS \(name) WITH (FORCE)", timeout: .seconds(60))
    } else {
      let schemas = try connection.query(
        """
        SELECT nspname FROM pg_catalog.pg_namespace
        WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
        """)
      for row in 0..<schemas.rowCount {
        guard let schema = schemas[row, 0] else { continue }
        try connection.run("DROP SCHEMA \(schema.quotedIdentifier) CASCADE")
      }
      try connection.run("CREATE SCHEMA public; GRANT USAGE ON SCHEMA public TO PUBLIC")
    }
  }

  deinit { try? remove() }

  private static func connect(
    _ target: ConnectionTarget, _ cancellation: Cancellation
  ) throws -> Connection {
    try Connection(
      target, ConnectionOptions(applicationName: "pgkeep migrate rehearse", profile: .data),
      cancellation: cancellation)
  }
}
