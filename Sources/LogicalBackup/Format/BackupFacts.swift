public import Postgres

/// The index's first line: what was backed up, from where and by what.
public struct BackupFacts: Hashable, Sendable {
  /// The format of the file; this version reads and writes 1.
  public static let currentFormat = 1

  public var format = BackupFacts.currentFormat
  /// The backup's name.
  public var id: String
  /// When the snapshot was taken, by the server's clock: `2026-11-22T02:00:00Z`.
  public var snapshotTime: String
  /// The version of pgkeep.
  public var tool: String
  public var database: SQLText
  /// `server_version`, as the server writes it.
  public var serverVersion: String
  /// `server_version_num`.
  public var serverVersionNumber: Int
  /// The cluster's, where the role may read it.
  public var systemIdentifier: String?
  /// Whether the server was a standby, which has no rows of unlogged tables.
  public var isStandby = false
  /// The database's encoding, which is also that of the file's text.
  public var encoding: String
  public var collate: SQLText
  public var ctype: SQLText
  /// `libc`, `icu` or `builtin`.
  public var localeProvider: String
  /// The ICU or builtin locale.
  public var locale: SQLText?
  /// The database's own rules for the ICU locale.
  public var icuRules: SQLText?
  public var owner: SQLText
  /// Roles that statements of the file name.
  public var roles: [SQLText] = []
  /// Extensions that statements of the file make.
  public var extensions: [SQLText] = []
  /// The newest migration that was applied, where the database has pgkeep's history.
  public var migration: String?
  /// Whether settings, comment and privileges of the database itself are in the file.
  public var hasDatabaseSettings = false
  /// What was left out, in words.
  public var selection: [String] = []
  /// Whether something was left out because it was asked for: the backup is not one of the whole
  /// database. The rows of unlogged tables, which a standby does not have, are left out of whole
  /// ones too.
  public var isPartial = false
  /// Whether tables or schemas were chosen, so that what the file makes may name what it lacks.
  public var isFiltered = false
  /// Definitions, rows, or both.
  public var contents = ExportSelection.Contents.all

  public init(
    id: String, snapshotTime: String, tool: String, database: SQLText, serverVersion: String,
    serverVersionNumber: Int, encoding: String, collate: SQLText, ctype: SQLText,
    localeProvider: String, locale: SQLText?, owner: SQLText
  ) {
    self.id = id
    self.snapshotTime = snapshotTime
    self.tool = tool
    self.database = database
    self.serverVersion = serverVersion
    self.serverVersionNumber = serverVersionNumber
    self.encoding = encoding
    self.collate = collate
    self.ctype = ctype
    self.localeProvider = localeProvider
    self.locale = locale
    self.owner = owner
  }

  var line: IndexLine {
    var line = IndexLine("backup")
    line.add("format", format)
    line.add("id", id)
    line.add("snapshot_time", snapshotTime)
    line.add("tool", tool)
    line.add("database", database)
    line.add("server_version", serverVersion)
    line.add("server_version_num", serverVersionNumber)
    if let systemIdentifier { line.add("system_identifier", systemIdentifier) }
    line.add("standby", isStandby ? 1 : 0)
    line.add("encoding", encoding)
    line.add("collate", collate)
    line.add("ctype", ctype)
    line.add("locale_provider", localeProvider)
    if let locale { line.add("locale", locale) }
    if let icuRules { line.add("icu_rules", icuRules) }
    line.add("owner", owner)
    if let migration { line.add("migration", migration) }
    if hasDatabaseSettings { line.add("database_settings", 1) }
    line.add("roles", roles)
    line.add("extensions", extensions)
    line.add("selection", selection.map { SQLText($0) })
    line.add("partial", isPartial ? 1 : 0)
    line.add("filtered", isFiltered ? 1 : 0)
    line.add("contents", contents.rawValue)
    return line
  }

  init(_ object: IndexObject) throws {
    format = try object.count("format")
    guard format == Self.currentFormat else {
      throw LogicalBackupError(
        .newerFormat,
        "The file has format \(format), and this version of pgkeep reads format "
          + "\(Self.currentFormat). Use the version that wrote it, or a newer one; "
          + "gunzip and psql restore it as well.")
    }
    id = try object.string("id")
    snapshotTime = try object.string("snapshot_time")
    tool = try object.string("tool")
    database = try object.text("database")
    serverVersion = try object.string("server_version")
    serverVersionNumber = try object.count("server_version_num")
    systemIdentifier = try object.optionalText("system_identifier")?.string
    isStandby = try object.count("standby") == 1
    encoding = try object.string("encoding")
    collate = try object.text("collate")
    ctype = try object.text("ctype")
    localeProvider = try object.string("locale_provider")
    locale = try object.optionalText("locale")
    icuRules = try object.optionalText("icu_rules")
    owner = try object.text("owner")
    roles = try object.texts("roles")
    extensions = try object.texts("extensions")
    migration = try object.optionalText("migration")?.string
    hasDatabaseSettings = try object.optionalCount("database_settings") == 1
    selection = try object.texts("selection").map(\.string)
    // Files of the first versions have neither, and are of whole databases.
    if let word = try object.optionalText("contents")?.string {
      guard let known = ExportSelection.Contents(rawValue: word) else {
        throw LogicalBackupError(
          .damaged,
          "The index says that the file's contents are \"\(word)\", which is nothing known.")
      }
      contents = known
      isPartial = try object.count("partial") == 1
      isFiltered = try object.count("filtered") == 1
    }
  }
}
