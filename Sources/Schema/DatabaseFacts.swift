public import Postgres

/// What a new database must be made with to be like this one.
public struct DatabaseFacts: Sendable {
  public var name: SQLText
  public var owner: SQLText
  public var encoding: String
  public var collate: SQLText
  public var characterType: SQLText
  /// `c` libc, `i` ICU, `b` built in.
  public var localeProvider: Character
  /// The locale of a provider other than libc.
  public var locale: SQLText?
  public var icuRules: SQLText?
  /// The collations' version at creation, as far as the provider tells.
  public var collationVersion: SQLText?
  public var tablespace: SQLText
  public var connectionLimit: Int

  static func read(_ session: CatalogSession) throws -> DatabaseFacts {
    let locale = session.since(
      17, "d.datlocale", else: session.since(15, "d.daticulocale", else: "NULL::text"))
    let facts = try session.rows(
      """
      SELECT d.datname, pg_catalog.pg_get_userbyid(d.datdba),
        pg_catalog.pg_encoding_to_char(d.encoding), d.datcollate, d.datctype,
        \(session.since(15, "d.datlocprovider", else: "'c'")), \(locale),
        \(session.since(16, "d.daticurules", else: "NULL::text")),
        \(session.since(15, "d.datcollversion", else: "NULL::text")), s.spcname, d.datconnlimit
      FROM pg_catalog.pg_database d
      JOIN pg_catalog.pg_tablespace s ON s.oid = d.dattablespace
      WHERE d.datname = pg_catalog.current_database()
      """
    ) { row in
      DatabaseFacts(
        name: row.text(), owner: row.text(), encoding: row.text().string, collate: row.text(),
        characterType: row.text(), localeProvider: row.letter(), locale: row.optional(),
        icuRules: row.optional(), collationVersion: row.optional(), tablespace: row.text(),
        connectionLimit: row.int())
    }
    guard let database = facts.first else {
      throw SchemaError(
        .damagedCatalog, "pg_database has no row for the database that this session is in.")
    }
    return database
  }
}
