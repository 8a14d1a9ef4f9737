public import Postgres

/// What has to be right about a database from the moment it is made.
public struct DatabaseTraits: Hashable, Sendable {
  /// A locale, which goes with an encoding.
  public struct Locale: Hashable, Sendable {
    public enum Provider: String, Hashable, Sendable { case libc, icu, builtin }

    public var provider: Provider
    /// `LC_COLLATE` and `LC_CTYPE`, which every database has.
    public var collate: SQLText
    public var ctype: SQLText
    /// The ICU or builtin locale.
    public var name: SQLText?
    public var icuRules: SQLText?

    public init(
      provider: Provider, collate: SQLText, ctype: SQLText, name: SQLText? = nil,
      icuRules: SQLText? = nil
    ) {
      self.provider = provider
      self.collate = collate
      self.ctype = ctype
      self.name = name
      self.icuRules = icuRules
    }
  }

  /// As PostgreSQL names it; nil for the server's default.
  public var encoding: String?
  /// nil for the server's default.
  public var locale: Locale?
  /// The role that the database should belong to, where it exists.
  public var owner: SQLText?
  /// Whether the backup brings settings, comment and privileges of the database, so that none are
  /// taken over from one that is replaced.
  public var hasSettings = false

  public init(encoding: String? = nil, locale: Locale? = nil, owner: SQLText? = nil) {
    self.encoding = encoding
    self.locale = locale
    self.owner = owner
  }

  /// `CREATE DATABASE …` in the words of a server of that major version.
  ///
  /// - Throws: ``LogicalBackupError/Code/targetLacks`` when that version has no such locales.
  func creation(of name: SQLText, owner: SQLText?, majorVersion: Int) throws -> SQLText {
    var sql: SQLText = "CREATE DATABASE \(name.quotedIdentifier) TEMPLATE template0"
    if let owner { sql += " OWNER \(owner.quotedIdentifier)" }
    if let encoding { sql += " ENCODING \(SQLText(encoding).quotedLiteral)" }
    guard let locale else { return sql }
    let first = [Locale.Provider.libc: 0, .icu: 15, .builtin: 17][locale.provider] ?? 0
    guard majorVersion >= first else {
      throw LogicalBackupError(
        .targetLacks,
        "The backed-up database has a locale of the provider \(locale.provider.rawValue), which "
          + "PostgreSQL has since version \(first); this server has version \(majorVersion). "
          + "Make an empty database with another locale and restore into it with --into-empty.")
    }
    sql += " LC_COLLATE \(locale.collate.quotedLiteral) LC_CTYPE \(locale.ctype.quotedLiteral)"
    if majorVersion >= 15 { sql += " LOCALE_PROVIDER \(SQLText(locale.provider.rawValue))" }
    if let name = locale.name, locale.provider != .libc {
      let keyword: SQLText = locale.provider == .icu ? "ICU_LOCALE" : "BUILTIN_LOCALE"
      sql += " \(keyword) \(name.quotedLiteral)"
    }
    if let rules = locale.icuRules, majorVersion >= 16 {
      sql += " ICU_RULES \(rules.quotedLiteral)"
    }
    return sql
  }
}
